"""The latency table: percentiles that some request really took."""

from __future__ import annotations

from dataclasses import fields

import pytest

from eval.item import Timings
from eval.metrics.latency import STAGES, percentile, table


def test_percentiles_are_nearest_rank():
    values = [15.0, 20.0, 35.0, 40.0, 50.0]
    assert [percentile(values, p) for p in (5, 30, 40, 50, 100)] == [15, 20, 20, 35, 50]


def test_a_percentile_is_an_observed_value_whatever_the_order():
    values = [9.0, 1.0, 5.0, 7.0]
    assert all(percentile(values, p) in values for p in range(1, 101))
    assert percentile(values, 50) == 5.0


@pytest.mark.parametrize(
    ("n", "p", "rank"), [(100, 7, 7), (20, 95, 19), (100, 99, 99), (1000, 99, 990)]
)
def test_a_whole_rank_is_not_rounded_up_by_binary_fractions(n, p, rank):
    assert percentile([float(x) for x in range(1, n + 1)], p) == rank


def test_p99_of_few_is_the_worst():
    found = table([{"total_ms": float(x)} for x in (3, 1, 2)])["total_ms"]
    assert (found["p50"], found["p99"], found["mean"], found["n"]) == (2, 3, 2, 3)


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_there_is_no_percentile_of_nothing_or_out_of_range(values, percent):
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


def test_rows_without_a_stage_do_not_count_in_it():
    found = table([{"total_ms": 4.0}, {"total_ms": 6.0, "queue_ms": 1.0}, {}])
    assert found["total_ms"]["n"] == 2
    assert found["queue_ms"]["n"] == 1
    assert "prompt_ms" not in found


def test_recomputed_tokens_are_worked_out_only_where_they_are_not_given():
    found = table([{"prompt_tokens": 50, "cached_tokens": 48}])
    assert found["recomputed_tokens"]["p50"] == 2
    given = table([{"prompt_tokens": 50, "cached_tokens": 48, "recomputed_tokens": 9}])
    assert given["recomputed_tokens"]["p50"] == 9


def test_every_field_of_the_timings_has_its_place_in_the_table():
    assert {field.name for field in fields(Timings)} | {"recomputed_tokens"} == set(STAGES)


def test_no_rows_make_no_table():
    assert table([]) == {}
