"""Figures by what ended a text: every item in one row of raw and one of cut, the rest left out."""

from __future__ import annotations

from typing import Any

import pytest

from eval.metrics.by_stop_reason import NO_ANSWER, NOTHING, by_stop_reason, count
from eval.result import Record


def record(
    number: int, *, right: float = 1.0, rightly: float | None = 1.0, **changes: Any
) -> Record:
    scores = {"exact_match": right, "exact_match_cut": right, "lines_right_cut": 1.0}
    if rightly is not None:
        scores |= {"ended_rightly_cut": rightly}
    fields: dict[str, Any] = {
        "id": f"i{number}", "kind": "", "prompt_sha256": "", "prefix": "", "suffix": "",
        "reference": "x", "raw": "x", "cut": "x", "raw_end": "model", "cut_end": "syntax",
        "declined": "", "scores": scores,
    }  # fmt: skip
    return Record(**fields | changes)


def test_every_item_is_in_one_row_of_each_text_the_most_frequent_first() -> None:
    records = [
        record(0, cut_end="line", raw_end="length"),
        record(1),
        record(2, right=0.0, rightly=0.0),
        record(3, right=0.0, rightly=None),
        record(4, cut=None, cut_end="", declined="filtered:blank", rightly=None, right=0.0),
        record(5, raw=None, raw_end="", cut_end=""),
    ]
    found = by_stop_reason(records)
    sizes = {text: {why: count(m) for why, m in rows.items()} for text, rows in found.items()}
    assert sizes == {
        "raw": {"model": 4, "length": 1, NO_ANSWER: 1},
        "cut": {"syntax": 3, "line": 1, NOTHING: 1, "unnamed": 1},
    }
    assert list(sizes["cut"]) == ["syntax", "line", NOTHING, "unnamed"]
    syntax = found["cut"]["syntax"]
    assert syntax["exact_match_cut"].value == pytest.approx(1 / 3)
    rightly = syntax["ended_rightly_cut"]
    assert (rightly.value, rightly.n) == (0.5, 2)  # of those that are right as far as they go
    assert set(found["raw"]["model"]) == {"exact_match"}
    assert "ended_rightly_cut" not in found["cut"][NOTHING]


def test_a_suite_that_asks_for_no_text_has_no_rows() -> None:
    assert by_stop_reason([record(0, scores={"bits_per_byte": [3.0, 4.0]})]) == {}
    assert by_stop_reason([]) == {}
    assert list(by_stop_reason([record(0, scores={"exact_cut": 1.0})])) == ["cut"]
