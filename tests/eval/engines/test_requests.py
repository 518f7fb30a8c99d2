"""An item as an editor's request, and responses as an answer."""

from dataclasses import replace

import pytest

from completion.config import GenerationConfig
from completion.healing.arms import Heals
from completion.server.job import job_from
from completion.wire import completion_pb2 as pb
from eval.engines.requests import CONTEXT_BYTES, answer_from, request_for
from eval.item import Ask
from tests.eval.tiny import ITEMS, RELATED

ONE = replace(ITEMS[0], related=RELATED, eol="\r\n", path="src/a.py", language="python")


def test_everything_of_the_item_is_in_the_request():
    request = request_for(ONE, Ask(lines="single", max_tokens=7), include_raw=False)
    document = request.document
    assert (document.path, document.language_id, document.eol) == ("src/a.py", "python", "\r\n")
    assert (document.prefix, document.suffix) == (ONE.prefix, ONE.suffix)
    assert not document.prefix_truncated
    (snippet,) = request.snippets
    assert (snippet.path, snippet.text) == ("lib.py", RELATED[0].text)
    assert (snippet.kind, snippet.relevance) == ("definition", 0.75)
    assert request.options.lines == pb.GenerationOptions.LINES_SINGLE
    assert request.options.max_tokens == 7
    assert not request.options.include_raw


def test_the_second_request_differs_in_nothing_but_the_raw_text():
    shown, raw = (request_for(ONE, Ask(), include_raw=wanted) for wanted in (False, True))
    raw.options.include_raw = False
    assert shown == raw


def test_no_more_is_sent_than_an_editor_sends_and_it_is_said():
    long = replace(ONE, prefix=b"a" * CONTEXT_BYTES + b"b" * 5, suffix=b"c" * CONTEXT_BYTES)
    document = request_for(long, Ask(), include_raw=False).document
    assert document.prefix.endswith(b"abbbbb")
    assert len(document.prefix) == len(document.suffix) == CONTEXT_BYTES
    assert document.prefix_truncated
    assert not document.suffix_truncated


@pytest.mark.parametrize("healing", ["default", "exact", "one-token", "off"])
@pytest.mark.parametrize("ask", [Ask(), Ask(temperature=0.8, top_p=0.9, seed=3, candidates=10)])
def test_the_service_takes_it(healing, ask):
    request = request_for(ONE, replace(ask, healing=healing), include_raw=True)
    job = job_from(request, GenerationConfig())
    asked = {"one-token": Heals.ONE_TOKEN, "off": Heals.OFF}
    assert job.heals is asked.get(healing, Heals.EXACT)
    assert (job.candidates, job.seed) == (ask.candidates, ask.seed)
    assert (job.temperature, job.top_p) == pytest.approx((ask.temperature, ask.top_p))


def response(*texts, declined=""):
    return pb.CompleteResponse(
        candidates=[
            pb.Candidate(
                text=text, raw_text=raw, replace_after=len(text) % 2, log_prob=-0.5,
                stop_reason=pb.STOP_REASON_SYNTAX, raw_stop_reason=pb.STOP_REASON_MODEL,
            )
            for text, raw in texts
        ],
        declined=declined,
        usage=pb.Usage(prompt_tokens=9, cached_tokens=4, generated_tokens=3),
        timings=pb.Timings(queue=1, prompt=2, first_token=3, first_line=4, total=5),
    )  # fmt: skip


def test_cut_and_timings_are_of_the_editors_request_and_raw_of_the_other():
    answer = answer_from(response((b"abc", b"")), response((b"xy", b"abc\n")), 6.0)
    assert (answer.raw, answer.cut, answer.replace_after) == (b"abc\n", b"abc", 1)
    assert (answer.raw_end, answer.cut_end, answer.declined) == ("model", "syntax", "")
    times = answer.timings
    assert (times.queue_ms, times.prompt_ms, times.first_token_ms) == (1, 2, 3)
    assert (times.first_line_ms, times.total_ms, times.round_trip_ms) == (4, 5, 6)
    assert (times.prompt_tokens, times.cached_tokens, times.recomputed_tokens) == (9, 4, 5)
    assert answer.ranked == ()


def test_what_was_declined_is_no_cut_and_the_raw_text_stays():
    declined = response(declined="filtered:blank")
    raw = response((b"", b"  \n"), declined="filtered:blank")
    answer = answer_from(declined, raw, 1.0)
    assert (answer.raw, answer.cut, answer.declined) == (b"  \n", None, "filtered:blank")
    both = answer_from(raw, raw, 1.0)
    assert both.cut is None, "the empty candidate is there for its raw text alone"


def test_candidates_are_ranked_as_the_server_did_without_doubles():
    both = response((b"a", b"a1"), (b"b", b"b1"), (b"a", b"a1"))
    answer = answer_from(both, both, 1.0)
    assert answer.ranked == (b"a1", b"b1")
    assert answer.raw == b"a1"


def test_nobody_asked_for_raw():
    assert answer_from(response((b"a", b"")), None, 1.0).raw is None
