"""pass@k: unbiased, and stable for many samples."""

from __future__ import annotations

import itertools
import math

import pytest

from eval.metrics.pass_at_k import pass_at_k


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_it_is_the_share_of_k_subsets_with_a_pass(n):
    for c, k in itertools.product(range(n + 1), range(1, n + 1)):
        subsets = list(itertools.combinations(range(n), k))
        share = sum(any(i < c for i in subset) for subset in subsets) / len(subsets)
        assert pass_at_k(n, c, k) == pytest.approx(share)


def test_pass_at_1_is_the_share_that_passes():
    assert pass_at_k(200, 30, 1) == pytest.approx(0.15)


def test_it_is_stable_where_binomials_overflow_a_float():
    n, c, k = 100_000, 3, 500
    exact = 1 - math.comb(n - c, k) / math.comb(n, k)
    assert pass_at_k(n, c, k) == pytest.approx(exact, rel=1e-9)


def test_enough_passes_make_it_certain():
    assert pass_at_k(10, 8, 3) == 1.0
    assert pass_at_k(10, 0, 10) == 0.0


@pytest.mark.parametrize(("n", "c", "k"), [(3, 1, 4), (0, 0, 1), (3, 1, 0), (3, 4, 1), (3, -1, 1)])
def test_what_cannot_be_estimated_is_refused(n, c, k):
    with pytest.raises(ValueError, match="samples"):
        pass_at_k(n, c, k)
