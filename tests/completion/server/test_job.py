"""Requests are checked at the border, and the error names the field."""

import pytest

from completion.config import GenerationConfig
from completion.filters.cursor import Lines
from completion.server.job import InvalidField, job_from
from completion.wire import completion_pb2 as pb

LIMITS = GenerationConfig()


def request(**options):
    return pb.CompleteRequest(
        document=pb.Document(prefix=b"x = foo.ba", suffix=b"r)\n", language_id="python"),
        options=pb.GenerationOptions(**options),
    )


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"candidates": LIMITS.max_candidates + 1}, "options.candidates"),
        ({"max_tokens": 1 << 30}, "options.max_tokens"),
        ({"temperature": -1}, "options.temperature"),
        ({"temperature": float("nan")}, "options.temperature"),
        ({"temperature": 100}, "options.temperature"),
        ({"top_p": 0}, "options.top_p"),
        ({"top_p": 1.5}, "options.top_p"),
        ({"lines": 9}, "options.lines"),
        ({"healing": 9}, "options.healing"),
    ],
)
def test_a_value_out_of_range_names_its_field(options, field):
    with pytest.raises(InvalidField, match=f"^{field} "):
        job_from(request(**options), LIMITS)


@pytest.mark.parametrize(
    ("name", "value"), [("eol", "\f"), ("scope", "nowhere"), ("tab_size", 4_000_000_000)]
)
def test_a_document_with_an_unknown_value_is_refused(name, value):
    wrong = request()
    setattr(wrong.document, name, value)
    with pytest.raises(InvalidField, match=f"document.{name}"):
        job_from(wrong, LIMITS)


def test_a_selected_item_takes_the_place_of_what_it_replaces():
    chosen = request()
    chosen.selected_completion.CopyFrom(
        pb.SelectedCompletion(text=b"baz", replace_before=2, replace_after=1)
    )
    job = job_from(chosen, LIMITS)
    assert (job.document.prefix, job.document.suffix) == (b"x = foo.baz", b")\n")


@pytest.mark.parametrize(("name", "value"), [("replace_before", 11), ("replace_after", 4)])
def test_a_selected_item_cannot_replace_more_than_there_is(name, value):
    chosen = request()
    chosen.selected_completion.text = b"baz"
    setattr(chosen.selected_completion, name, value)
    with pytest.raises(InvalidField, match=f"selected_completion.{name}"):
        job_from(chosen, LIMITS)


def test_unset_options_are_the_servers_defaults():
    job = job_from(request(), LIMITS)
    assert (job.temperature, job.top_p, job.candidates, job.seed) == (0.0, 1.0, 1, None)
    assert job.max_tokens == LIMITS.max_line_tokens
    assert job.cursor.lines is Lines.AUTO


@pytest.mark.parametrize("relevance", [-0.1, 1.5, float("nan"), float("inf")])
def test_a_relevance_out_of_range_names_its_snippet(relevance):
    wrong = request()
    wrong.snippets.add(path="a.py", text=b"x", relevance=1.0)
    wrong.snippets.add(path="b.py", text=b"x", relevance=relevance)
    with pytest.raises(InvalidField, match=r"^snippets\[1\].relevance "):
        job_from(wrong, LIMITS)


def test_too_many_snippets_are_refused():
    many = request()
    many.snippets.extend(pb.Snippet(path="a.py", text=b"x") for _ in range(300))
    with pytest.raises(InvalidField, match="snippets"):
        job_from(many, LIMITS)
