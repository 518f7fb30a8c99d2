"""McNemar's test: whether two runs differ in which items they get right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class McNemar:
    """The four counts of items and what the discordant ones say."""

    both: int
    only_a: int
    only_b: int
    neither: int
    p: float
    """Two-sided, exact."""


def mcnemar(a: Mapping[str, float], b: Mapping[str, float]) -> McNemar:
    """Test two 0/1 scores on the items that both have.

    The exact test (McNemar 1947; the exact conditional form): under no difference the items that
    only one side gets right are that side's with probability 1/2, so the smaller count is
    binomial. Exact, not mid-p: it never claims more than 5 % where it says so; with few discordant
    items it is a little cautious. No discordant item: p is 1.

    Raises:
        ValueError: a score is neither 0 nor 1, or no item is shared.
    """
    shared = a.keys() & b.keys()
    if not shared:
        raise ValueError("no item is in both")
    if not all(scores[item] in (0, 1) for item in shared for scores in (a, b)):
        raise ValueError("McNemar's test is for scores of 0 and 1")
    counts = {(x, y): 0 for x in (0, 1) for y in (0, 1)}
    for item in shared:
        counts[int(a[item]), int(b[item])] += 1
    only_a, only_b = counts[1, 0], counts[0, 1]
    return McNemar(
        both=counts[1, 1],
        only_a=only_a,
        only_b=only_b,
        neither=counts[0, 0],
        p=exact_p(only_a, only_b),
    )


def exact_p(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p of two discordant counts."""
    if only_a == only_b:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(only_b, only_a + only_b, 0.5).pvalue)
