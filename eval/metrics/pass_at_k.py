"""pass@k: the probability that one of k samples passes its tests."""

from __future__ import annotations


def pass_at_k(n: int, c: int, k: int) -> float:
    """Return the unbiased estimate from ``n`` samples of which ``c`` pass.

    Chen et al. 2021, equation 1: 1 - C(n - c, k) / C(n, k). Worked out as a product of ratios, so
    that no factorial overflows.

    Raises:
        ValueError: not 1 ≤ k ≤ n or not 0 ≤ c ≤ n; from fewer than k samples there is no estimate.
    """
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} needs at least {k} samples, and k at least 1; there are {n}")
    if not 0 <= c <= n:
        raise ValueError(f"{c} of {n} samples cannot pass")
    if n - c < k:
        return 1.0
    none_passes = 1.0
    for i in range(k):
        none_passes *= (n - c - i) / (n - i)
    return 1.0 - none_passes
