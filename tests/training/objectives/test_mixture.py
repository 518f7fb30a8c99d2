from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.objectives.mixture import FLOOR, LEAST_RANDOM, RANDOM, SHARES, fault, harder, ordered

BASE = {"random": 0.4, "line": 0.3, "arguments": 0.2, "body": 0.1}


def test_shares_move_to_the_kinds_that_fail_more() -> None:
    """By hand: the mean failure is (.3 · .5 + .2 · .8 + .1 · .9) / .6 = 2/3, so the factors are
    .25 + .75 · (.75, 1.2, 1.35) = .8125, 1.15, 1.2625."""
    found = harder(BASE, {"line": 0.5, "arguments": 0.8, "body": 0.9})
    expected = {"random": 0.4, "line": 0.24375, "arguments": 0.23, "body": 0.12625}
    assert found == pytest.approx(expected, abs=6e-5)


def test_kind_that_never_fails_keeps_a_quarter() -> None:
    """By hand: the mean is (.2 · .6) / .6 = .2; arguments get .2 · (.25 + .75 · 3) = .5."""
    found = harder(BASE, {"line": 0.0, "arguments": 0.6, "body": 0.0})
    assert found == {"random": 0.4, "line": 0.075, "arguments": 0.5, "body": 0.025}


def test_kind_that_was_not_measured_counts_as_the_mean_of_the_others() -> None:
    """By hand: the mean is (.3 · .2 + .1 · 1) / .4 = .4; factors .25 + .75 · (.5, 1, 2.5)."""
    found = harder(BASE, {"line": 0.2, "body": 1.0, "unknown": 0.7})
    assert found == {"random": 0.4, "line": 0.1875, "arguments": 0.2, "body": 0.2125}


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_where_all_fail_alike_nothing_moves(rate: float) -> None:
    assert harder(SHARES, dict.fromkeys(SHARES, rate)) == pytest.approx(SHARES, abs=1e-4)


def test_random_middles_are_at_least_three_tenths() -> None:
    found = harder({"line": 0.8, "random": 0.1, "body": 0.1}, {"line": 0.5, "body": 0.5})
    assert found[RANDOM] == LEAST_RANDOM == 0.3
    assert found == pytest.approx({"random": 0.3, "line": 0.7 * 8 / 9, "body": 0.7 / 9}, abs=1e-4)
    assert harder({"random": 1.0}, {"line": 1.0}) == {"random": 1.0}


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(SHARES)), st.floats(0, 1)))
def test_any_failures_give_a_mixture_in_which_no_kind_vanishes(rates: dict[str, float]) -> None:
    found = harder(SHARES, rates)
    assert not fault(found)
    assert list(found) == list(SHARES)
    assert found[RANDOM] >= LEAST_RANDOM
    assert all(found[kind] >= FLOOR * SHARES[kind] - 1e-4 for kind in SHARES)


def test_what_is_no_mixture_is_said() -> None:
    assert fault(SHARES) == fault({"random": 1}) == ""
    assert "unknown kind loops; known are random, line," in fault({"random": 0.5, "loops": 0.5})
    assert fault({"random": 0.5, "line": 0.4}) == "must add up to 1, not 0.9"
    assert fault({}) == "must add up to 1, not 0"
    assert fault({"random": 1.5, "line": -0.5}) == "must be numbers from 0 on"
    assert fault({"random": float("nan")}) == "must be numbers from 0 on"


def test_order_is_that_of_the_table() -> None:
    assert list(ordered({"body": 0.5, "random": 0.5})) == ["random", "body"]
