"""Figures and their intervals: the same for one seed, honest where the items say little."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import binomtest

from eval.metrics.summary import (
    RESAMPLES,
    interval,
    resampled,
    summarise,
    wilson,
)


def _scores(metric: str, values: list) -> dict[str, dict]:
    return {f"item-{number:04}": {metric: value} for number, value in enumerate(values)}


def test_the_value_is_the_mean_over_the_items_that_have_the_metric():
    found = summarise({"a": {"es": 0.2}, "b": {"es": 0.6, "em": 1.0}, "c": {}})
    assert found["es"].value == pytest.approx(0.4)
    assert found["es"].n == 2
    assert found["em"].n == 1


def test_a_metric_of_pairs_is_the_ratio_of_sums_not_the_mean_of_ratios():
    found = summarise(_scores("saved", [(1.0, 1.0), (0.0, 99.0)]))["saved"]
    assert found.value == pytest.approx(0.01)


def test_pairs_read_back_from_json_are_pairs_still():
    as_tuples = summarise(_scores("saved", [(1.0, 4.0), (2.0, 3.0), (0.0, 5.0)]))
    assert as_tuples == summarise(_scores("saved", [[1.0, 4.0], [2.0, 3.0], [0.0, 5.0]]))


def test_the_order_of_items_and_of_other_metrics_changes_nothing():
    values = [random.Random(3).random() for _ in range(50)]
    rows = list(_scores("es", values).items())
    straight = summarise(dict(rows))
    assert summarise(dict(reversed(rows))) == straight
    beside = {item: {"other": row["es"] / 2} | row for item, row in rows}
    found, alone = summarise(beside)["es"], straight["es"]
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), rel=1e-12)


def test_metrics_come_in_the_order_in_which_they_first_appear():
    found = summarise({"b": {"es": 0.5, "em": 1.0}, "a": {"bits": (9.0, 2.0), "es": 0.1}})
    assert list(found) == ["es", "em", "bits"]


def test_one_seed_gives_one_interval_and_another_seed_another():
    scores = _scores("es", [0.1, 0.9, 0.4, 0.35, 0.8])
    assert summarise(scores, seed=1) == summarise(scores, seed=1)
    assert summarise(scores, seed=1)["es"].low != summarise(scores, seed=2)["es"].low


def test_the_interval_is_near_that_of_the_normal_law_for_many_items():
    values = np.random.default_rng(0).random(2000)
    found = summarise(_scores("es", values.tolist()))["es"]
    reach = 1.96 * values.std() / np.sqrt(2000)
    assert found.high - found.value == pytest.approx(reach, rel=0.1)
    assert found.value - found.low == pytest.approx(reach, rel=0.1)


def test_pairs_are_drawn_together():
    # Every ratio is 1/2: a bootstrap that drew parts apart from wholes would have a wide interval.
    pairs = [(size / 2 - 10, float(size) - 20) for size in range(30, 90)]
    found = summarise(_scores("bits", [(-a, b) for a, b in pairs]))["bits"]
    assert found.low == pytest.approx(-0.5)
    assert found.high == pytest.approx(-0.5)


@pytest.mark.parametrize(("values", "edge"), [([0.0] * 12, "low"), ([1.0] * 12, "high")])
def test_all_right_or_all_wrong_is_no_certainty(values, edge):
    found = summarise(_scores("em", values))["em"]
    assert getattr(found, edge) == found.value
    assert found.high - found.low == pytest.approx(1.96**2 / (12 + 1.96**2), abs=1e-3)


def test_a_metric_of_0_and_1_has_wilsons_interval():
    found = summarise(_scores("em", [1.0] * 7 + [0.0] * 13))["em"]
    reference = binomtest(7, 20).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))
    assert wilson(0, 30) == pytest.approx(
        tuple(binomtest(0, 30).proportion_ci(method="wilson")), abs=1e-12
    )


def test_a_single_share_says_next_to_nothing():
    found = summarise({"a": {"es": 0.5, "saved": (2.0, 4.0)}})
    for name in ("es", "saved"):
        assert found[name].high - found[name].low > 0.8
        assert found[name].n == 1


def test_a_single_unbounded_score_is_its_own_interval():
    found = summarise({"a": {"bits": (24.0, 8.0)}})["bits"]
    assert (found.value, found.low, found.high, found.n) == (3.0, 3.0, 3.0, 1)


def test_equal_shares_that_are_not_0_or_1_have_width():
    found = summarise(_scores("es", [0.3] * 40))["es"]
    assert found.low < 0.2 < 0.3 < 0.4 < found.high


def test_the_value_is_never_outside_of_its_interval():
    for seed in range(30):
        values = [random.Random(seed).choice([0.1, 0.7, 0.1000001]) for _ in range(seed + 1)]
        found = summarise(_scores("es", values))["es"]
        assert found.low <= found.value <= found.high


def test_nothing_measured_is_left_out():
    assert summarise({}) == {}
    assert summarise({"a": {}, "b": {}}) == {}
    assert summarise(_scores("saved", [(0.0, 0.0), (0.0, 0.0)])) == {}


def test_resamples_without_a_whole_do_not_spoil_the_interval():
    found = summarise(_scores("saved", [(0.0, 0.0), (1.0, 2.0), (0.0, 0.0)]))["saved"]
    assert found.value == 0.5
    assert 0 <= found.low <= found.high <= 1


@pytest.mark.parametrize("score", [float("nan"), float("inf"), (1.0, float("nan"))])
def test_a_score_that_is_no_number_is_an_error_that_names_the_item(score):
    with pytest.raises(ValueError, match="em of b"):
        summarise({"a": {"em": 1.0}, "b": {"em": score}})


def test_a_metric_cannot_be_a_pair_here_and_a_number_there():
    with pytest.raises(ValueError, match="b"):
        summarise({"a": {"em": 1.0}, "b": {"em": (1.0, 2.0)}})


def test_resampling_many_items_in_parts_draws_every_item_alike():
    sums = resampled(np.ones((9000, 1)))
    assert sums.shape == (RESAMPLES, 1)
    assert (sums == 9000).all()  # each resample has as many items as there are
    marked = np.zeros((9000, 1))
    marked[[0, 4500, 8999]] = 1
    assert resampled(marked).mean() == pytest.approx(3, abs=0.2)


def test_the_interval_leaves_out_a_twentieth():
    assert interval(np.arange(10001.0)) == (250.0, 9750.0)
