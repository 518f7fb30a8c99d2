from __future__ import annotations

import random

import pytest

from training.ablate.statistics import compare

Run = dict[str, tuple[float, float]]


def shares(values: list[float]) -> Run:
    return {f"i{at}": (value, 1.0) for at, value in enumerate(values)}


def test_a_figure_is_pooled_over_items_and_seeds() -> None:
    runs = [{"a": (1.0, 2.0), "b": (3.0, 8.0)}, {"a": (2.0, 2.0), "b": (4.0, 8.0)}]
    found = compare({"all_on": runs}, "all_on")["all_on"]
    assert found.figure.value == pytest.approx(10 / 20)
    assert (found.items, found.seeds) == (2, 2)
    assert found.difference.value == found.difference.low == found.difference.high == 0


def test_what_all_rows_share_is_no_difference() -> None:
    """Items of very unlike difficulty, one row a hundredth better on each: the pairing shows it."""
    rng = random.Random(0)
    hard = [rng.random() for _ in range(50)]
    easier = [value + 0.01 for value in hard]
    found = compare({"all_on": [shares(hard)], "row": [shares(easier)]}, "all_on")["row"]
    assert found.difference.value == pytest.approx(0.01)
    assert found.difference.low == pytest.approx(0.01)
    assert found.difference.sign == 1
    assert found.figure.high - found.figure.low > 0.1


def test_an_interval_over_items_is_that_of_the_mean() -> None:
    rng = random.Random(1)
    values = [float(rng.random() < 0.3) for _ in range(400)]
    found = compare({"all_on": [shares(values)]}, "all_on")["all_on"].figure
    share = sum(values) / 400
    reach = 1.96 * (share * (1 - share) / 400) ** 0.5
    assert found.low == pytest.approx(share - reach, abs=0.006)
    assert found.high == pytest.approx(share + reach, abs=0.006)


def test_seeds_that_disagree_leave_nothing_to_be_told() -> None:
    """Alike in every item of a seed, opposite between seeds: items alone would call it sure."""
    base = shares([0.5] * 40)
    rows = {"all_on": [base, base], "row": [shares([0.7] * 40), shares([0.4] * 40)]}
    found = compare(rows, "all_on")["row"].difference
    assert found.value == pytest.approx(0.05)
    assert found.low == pytest.approx(-0.1)
    assert found.high == pytest.approx(0.2)
    assert found.sign == 0


def test_worse_has_the_sign_minus() -> None:
    rows = {"all_on": [shares([1.0] * 9)], "row": [shares([0.0] * 9)]}
    assert compare(rows, "all_on")["row"].difference.sign == -1


def test_the_same_runs_give_the_same_intervals() -> None:
    rows = {"all_on": [shares([0.0, 1.0, 0.5])], "row": [shares([1.0, 1.0, 0.0])]}
    assert compare(rows, "all_on") == compare(rows, "all_on")


def test_rows_of_other_items_are_refused() -> None:
    with pytest.raises(ValueError, match="row has other items"):
        compare({"all_on": [shares([0.0])], "row": [shares([0.0, 1.0])]}, "all_on")
