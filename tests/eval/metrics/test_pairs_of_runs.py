"""Paired differences and McNemar's test."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.mcnemar import exact_p, mcnemar
from eval.metrics.pairing import paired_difference


def _run(values) -> dict:
    return {f"i{number:04}": value for number, value in enumerate(values)}


def test_only_shared_items_count():
    found = paired_difference({"a": 0.1, "b": 0.5, "x": 1.0}, {"b": 0.75, "a": 0.1, "y": 0.0})
    assert found is not None
    assert (found.a, found.b, found.n) == (pytest.approx(0.3), pytest.approx(0.425), 2)
    assert found.value == pytest.approx(0.125)


def test_a_small_steady_gain_shows_though_items_vary_widely():
    hard = [random.Random(1).random() for _ in range(100)]
    better = [x + 0.01 + 0.001 * (n % 3) for n, x in enumerate(hard)]
    found = paired_difference(_run(hard), _run(better))
    assert found is not None and found.shown
    assert 0.009 < found.low < found.value < found.high < 0.013


def test_noise_alone_does_not_show():
    random_bits = np.random.default_rng(5).integers(0, 2, (2, 60)).astype(float)
    found = paired_difference(_run(random_bits[0]), _run(random_bits[1]))
    assert found is not None and not found.shown


def test_swapping_the_runs_turns_the_sign():
    a, b = _run([0.0, 0.25, 1.0, 0.5]), _run([1.0, 0.5, 1.0, 0.75])
    there, back = paired_difference(a, b), paired_difference(b, a)
    assert there is not None and back is not None
    assert there.value == -back.value
    assert (there.low, there.high) == (pytest.approx(-back.high), pytest.approx(-back.low))


def test_pairs_are_ratios_of_sums_on_both_sides():
    a, b = _run([(1.0, 10.0), (5.0, 90.0)]), _run([(2.0, 10.0), (60.0, 90.0)])
    found = paired_difference(a, b)
    assert found is not None
    assert (found.a, found.b) == (pytest.approx(0.06), pytest.approx(0.62))


def test_the_order_of_items_changes_nothing():
    a, b = _run([0.1, 0.9, 0.3, 0.3]), _run([0.2, 0.8, 0.4, 0.9])
    assert paired_difference(a, b) == paired_difference(dict(reversed(a.items())), b)


def test_items_that_all_agree_are_no_proof_of_equality():
    same = _run([1.0, 0.0] * 10)
    found = paired_difference(same, same)
    assert found is not None
    assert found.value == 0
    assert not found.shown
    assert found.low < -0.1 and found.high > 0.1


def test_a_single_item_shows_nothing():
    found = paired_difference({"a": 0.0}, {"a": 1.0})
    assert found is not None
    assert found.value == 1
    assert not found.shown


def test_all_of_many_items_gained_shows():
    found = paired_difference(_run([0.0] * 40), _run([1.0] * 40))
    assert found is not None and found.shown
    assert 0.8 < found.low < found.high == 1


def test_nothing_shared_has_no_difference():
    assert paired_difference({"a": 1.0}, {"b": 1.0}) is None
    assert paired_difference({"a": (0.0, 0.0)}, {"a": (0.0, 1.0)}) is None


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        paired_difference({"a": math.nan}, {"a": 1.0})


def test_mcnemar_counts_who_alone_is_right():
    a, b = _run([1, 1, 1, 0, 0, 0, 0]), _run([1, 0, 0, 1, 0, 0, 0]) | {"other": 1}
    found = mcnemar(a, b)
    assert (found.both, found.only_a, found.only_b, found.neither) == (1, 2, 1, 3)
    assert found.p == 1


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_p_is_twice_the_binomial_tail(only_a, only_b):
    n, small = only_a + only_b, min(only_a, only_b)
    tail = sum(math.comb(n, k) for k in range(small + 1)) / 2**n
    assert exact_p(only_a, only_b) == pytest.approx(min(1.0, 2 * tail), rel=1e-9)


def test_five_to_none_is_not_significant_and_six_to_none_is():
    assert exact_p(0, 5) == pytest.approx(0.0625)
    assert exact_p(6, 0) == pytest.approx(0.03125)


def test_mcnemar_is_only_for_0_and_1_and_shared_items():
    with pytest.raises(ValueError, match="0 and 1"):
        mcnemar({"a": 0.5}, {"a": 1})
    with pytest.raises(ValueError, match="no item"):
        mcnemar({"a": 1}, {"b": 1})
