"""What a terminal shows of a result: one value or two, the load it was under, what must be known."""

import io
from dataclasses import replace

from rich.console import Console

from eval.metrics.latency import table
from eval.metrics.summary import summarise
from eval.result import Result
from eval.running.table import show
from eval.suites import suite_named
from eval.suites.base import Suite
from tests.eval.tiny import Tiny


class Alone(Tiny):
    one_at_a_time = True


def made(scores, **changes) -> Result:
    result = Result(
        suite="tiny", suite_version="1", data={}, model={"name": "m"}, engine="server",
        options={"workers": 8}, caret={}, machine={}, started="", seconds=1,
        metrics=summarise({f"i{n}": scores for n in range(4)}),
        latency=table([{"total_ms": 5.0}]),
    )  # fmt: skip
    return replace(result, **changes)


def shown(result: Result, suite: Suite | None = None) -> str:
    out = io.StringIO()
    show(result, suite, Console(file=out, width=100))
    return out.getvalue()


def test_several_requests_at_a_time_are_said_unless_the_suite_goes_one_by_one():
    assert "8 requests at a time" in shown(made({"exact": 1.0}), Tiny())
    for suite in (Alone(), suite_named("replay")):
        assert "one request at a time" in shown(made({"exact": 1.0}), suite)


def test_one_value_stands_under_no_heading_of_raw_or_cut():
    text = shown(made({"keystrokes_saved": (-2.0, 40.0)}))
    assert "value" in text
    assert "raw" not in text
    assert "-5.0" in text, "keystrokes that were lost are a share, below 0"
    both = shown(made({"exact": 1.0, "exact_cut": 1.0}))
    assert "raw: the model's own text" in both
    assert "value" not in both


def test_what_ended_the_text_has_its_own_table_of_raw_and_cut():
    scores = {"exact_match_cut": 1.0, "edit_similarity_cut": 1.0, "lines_right_cut": 1.0}
    right = summarise({f"i{n}": scores | {"ended_rightly_cut": 1.0} for n in range(3)})
    wrong = summarise({"w": dict.fromkeys(scores, 0.0)})
    text = shown(made({"exact": 1.0, "exact_cut": 1.0}, endings={
        "raw": {"length": summarise({"r": {"exact_match": 0.0}})},
        "cut": {"syntax": right, "nothing suggested": wrong},
    }))  # fmt: skip
    table = text[text.index("by what ended the text") :]
    assert [line.split() for line in table.splitlines() if "syntax" in line] == [
        ["cut", "syntax", "3", "75.0", "100.0", "100.0", "100.0", "3", "100.0"]
    ]
    assert [line.split() for line in table.splitlines() if "nothing" in line] == [
        ["nothing", "suggested", "1", "25.0", "0.0", "0.0", "–", "–", "0.0"]
    ]
    assert "raw length" in table
    assert max(map(len, table.splitlines())) <= 100
    assert "by what ended" not in shown(made({"exact": 1.0}))


def test_a_metric_of_fewer_cut_texts_says_both_numbers():
    scores = {f"i{n}": {"exact": 1.0} | ({"exact_cut": 1.0} if n else {}) for n in range(4)}
    assert "4 | 3" in shown(made({}, metrics=summarise(scores)))


def test_bits_are_no_percentage():
    text = shown(made({"bits_per_byte": (3.0, 4.0)}))
    assert "0.75" in text
    assert "75.0" not in text


def test_what_a_perfect_answer_cannot_reach_is_said_where_it_is_shown():
    assert "METEOR is below 100 %" in shown(made({"meteor": 0.5}))
    assert "identifier F1 is 0 where a line has no identifier" in shown(
        made({"identifier_f1": 0.5})
    )
    plain = shown(made({"exact": 1.0}))
    assert "METEOR" not in plain
    assert "F1" not in plain
