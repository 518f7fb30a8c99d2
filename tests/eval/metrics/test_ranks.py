"""Reciprocal rank: places in a list as a user sees it."""

from __future__ import annotations

import pytest

from eval.metrics.mrr import reciprocal_rank


def test_it_is_one_over_the_first_place():
    assert reciprocal_rank(["a", "b", "c", "b"], "b") == 0.5
    assert reciprocal_rank(["b"], "b") == 1


def test_below_the_depth_it_is_not_there():
    ranked = [str(n) for n in range(1, 20)]
    assert reciprocal_rank(ranked, "10") == pytest.approx(0.1)
    assert reciprocal_rank(ranked, "11") == 0
    assert reciprocal_rank(ranked, "11", depth=11) == pytest.approx(1 / 11)


def test_a_prefix_or_other_case_is_another_answer():
    assert reciprocal_rank(["append_", "Append", "append"], "append") == pytest.approx(1 / 3)


def test_a_repeated_wrong_answer_takes_its_places():
    assert reciprocal_rank(["x", "x", "y"], "y") == pytest.approx(1 / 3)


def test_no_answers_rank_nowhere():
    assert reciprocal_rank([], "x") == 0
    with pytest.raises(ValueError, match="depth"):
        reciprocal_rank(["x"], "x", depth=0)
