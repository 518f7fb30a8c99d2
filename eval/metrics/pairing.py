"""The difference of two runs on the items that both answered, with a paired interval.

Paired, because most of what makes an item hard is the item's: two runs that rise and fall together
are told apart by far fewer items than two independent ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.metrics.summary import Score, interval, resampled, wilson


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A metric of two runs over the same items, and B's less A's with its 95 % interval."""

    a: float
    b: float
    value: float
    low: float
    high: float
    n: int
    """Items that both have."""

    @property
    def shown(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def paired_difference(
    a: Mapping[str, Score], b: Mapping[str, Score], *, seed: int = 0
) -> Difference | None:
    """Return the difference over the items in both; ``None`` where it has none.

    Scores as in :func:`eval.metrics.summary.summarise`: numbers, or pairs of part and whole, of
    which the figure is a ratio of sums. Percentile bootstrap: an item is drawn with both of its
    scores. Where every resample gives the same difference (no item differs, a single item) and
    scores are shares, the bootstrap would claim certainty; there the interval is what is left
    possible if unlike items are as frequent as Wilson's upper bound for none seen in n.

    Raises:
        ValueError: a score is not finite.
    """
    shared = sorted(a.keys() & b.keys())
    table = np.array([[*_pair(a[item]), *_pair(b[item])] for item in shared], dtype=np.float64)
    if not np.isfinite(table).all():
        raise ValueError("a score is not finite")
    if not shared or (table[:, (1, 3)].sum(axis=0) == 0).any():
        return None
    figures = _ratios(table.sum(axis=0, keepdims=True))[0]
    value = float(figures[1] - figures[0])
    sums = resampled(table, seed=seed)
    drawn = _ratios(sums[(sums[:, (1, 3)] != 0).all(axis=1)])
    differences = drawn[:, 1] - drawn[:, 0]
    if float(np.ptp(differences)) > _ROUNDING:
        low, high = interval(differences)
    else:
        low, high = _without_spread(value, table)
    return Difference(
        a=float(figures[0]),
        b=float(figures[1]),
        value=value,
        low=min(low, value),
        high=max(high, value),
        n=len(shared),
    )


_ROUNDING = 1e-12
"""Resamples that differ by no more are the same but for the order of adding."""


def _pair(score: Score) -> tuple[float, float]:
    return (score[0], score[1]) if isinstance(score, tuple | list) else (score, 1.0)


def _ratios(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 3]], axis=1)


def _without_spread(value: float, table: NDArray[np.float64]) -> tuple[float, float]:
    """Return the interval of a difference that no item contradicts; itself for unbounded scores."""
    parts, wholes = table[:, (0, 2)], table[:, (1, 3)]
    if not ((parts >= 0) & (parts <= wholes)).all():
        return value, value
    unlike = wilson(0, len(table))[1]
    return value - unlike * (value + 1), value + unlike * (1 - value)
