"""From events to CAR and CPR."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.summary import wilson as reference
from lsp.feedback.events import VISIBLE_MS, Kind
from lsp.feedback.rates import ALL, rates, wilson
from tests.lsp.feedback.made import event, events


def all_of(*found):
    (row,) = rates(found)[ALL]
    return row


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_interval_is_the_one_of_the_harness(n, share):
    rate = wilson(share * n, n)
    low, high = reference(share * n, n)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=1e-9)
    assert rate.low <= rate.value <= rate.high


def test_of_nothing_there_is_no_rate():
    rate = wilson(0, 0)
    assert (rate.n, rate.value, rate.low, rate.high) == (0, None, None, None)


def test_only_what_was_visible_long_enough_counts_as_shown():
    row = all_of(
        event("a", visible_ms=VISIBLE_MS),
        event("b", visible_ms=VISIBLE_MS - 1),
        event("c", visible_ms=3000), event("c", Kind.ACCEPTED, accepted_bytes=5),
        event("d", visible_ms=100), event("d", Kind.ACCEPTED, accepted_bytes=7),
        event("e", Kind.ACCEPTED, accepted_bytes=1),
    )  # fmt: skip
    assert (row.shown, row.accepted, row.accepted_sooner, row.accepted_bytes) == (2, 1, 2, 13)
    assert row.car.value == 0.5


def test_a_completion_counts_once_whichever_candidates_were_shown_and_taken_bit_by_bit():
    row = all_of(
        event("a", candidate=0, visible_ms=800), event("a", candidate=1, visible_ms=900),
        event("a", Kind.PARTLY_ACCEPTED, candidate=1, accepted_bytes=3),
        event("a", Kind.PARTLY_ACCEPTED, candidate=1, accepted_bytes=9),
        event("a", Kind.KEPT, candidate=1, after_s=30, kept_share=0.5),
    )  # fmt: skip
    assert (row.shown, row.accepted, row.accepted_bytes) == (1, 1, 9)
    assert (row.cpr[30].n, row.cpr[30].value) == (1, 0.5)
    assert row.cpr[90].n == 0


def test_persistence_is_the_mean_of_what_is_still_there():
    found = []
    for name, share in (("a", 1.0), ("b", 0.5), ("c", 0.0)):
        found.append(event(name, Kind.ACCEPTED, accepted_bytes=4))
        found.append(event(name, Kind.KEPT, after_s=90, kept_share=share))
    row = all_of(*found)
    assert row.cpr[90].value == pytest.approx(0.5)
    assert row.cpr[90].n == 3


def test_groups_are_told_apart_with_the_most_shown_first():
    groups = rates([
        event("a", visible_ms=800, language="go", scope="comment", stop_reason="line"),
        event("b", visible_ms=800), event("c", visible_ms=800, scope=""),
    ])  # fmt: skip
    assert [(row.name, row.shown) for row in groups["language"]] == [("python", 2), ("go", 1)]
    assert {row.name for row in groups["scope"]} == {"code", "comment", "other"}
    assert [row.name for row in groups["stop_reason"]] == ["syntax", "line"]


@given(st.lists(events(), max_size=40))
def test_groups_add_up_and_every_rate_is_one(found):
    groups = rates(found)
    (every,) = groups[ALL]
    for group in ("language", "scope", "stop_reason"):
        for field in ("shown", "accepted", "accepted_sooner", "accepted_bytes"):
            assert sum(getattr(row, field) for row in groups[group]) == getattr(every, field)
    for rows in groups.values():
        for row in rows:
            assert row.accepted <= row.shown
            for rate in (row.car, *row.cpr.values()):
                assert rate.value is None or 0 <= rate.low <= rate.value <= rate.high <= 1
