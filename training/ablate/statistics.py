"""Figures and differences with intervals: a bootstrap over items and seeds, paired between rows.

Pure. Every row has the same items and seeds, so a resample draws both once for all rows: what makes
one item or one seed easy is then no difference between rows (crossed bootstrap: Owen, The pigeonhole
bootstrap, Annals of Applied Statistics 2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
Pairs = Mapping[str, tuple[float, float]]
"""By item, a part and its whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where all of the interval is on that side of 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One row in one figure."""

    figure: Interval
    """Pooled over items and seeds."""
    difference: Interval
    """Row less the row that all are held against; 0 for itself."""
    items: int
    seeds: int


def compare(
    rows: Mapping[str, Sequence[Pairs]], against: str, *, seed: int = 0
) -> dict[str, Compared]:
    """Return figure and difference of every row.

    ``rows`` has the scores of each seed, the same seeds in the same order and the same items in
    all of them.

    Raises:
        ValueError: rows differ in seeds or items.
    """
    first = rows[against]
    items = sorted(first[0])
    for name, runs in rows.items():
        if len(runs) != len(first) or any(sorted(run) != items for run in runs):
            raise ValueError(f"{name} has other items or seeds than {against}")
    rng = np.random.default_rng(seed)
    items_RI = _counts(rng, len(items))
    seeds_RS = _counts(rng, len(first))
    whole_S, whole_I = np.ones((1, len(first))), np.ones((1, len(items)))
    values: dict[str, tuple[float, NDArray[np.float64]]] = {}
    for name, runs in rows.items():
        table_SI2 = np.array([[run[item] for item in items] for run in runs], dtype=np.float64)
        value = float(_pooled(table_SI2, whole_S, whole_I)[0])
        values[name] = (value, _pooled(table_SI2, seeds_RS, items_RI))
    value_of_first, drawn_of_first = values[against]
    return {
        name: Compared(
            figure=_interval(value, drawn),
            difference=_interval(value - value_of_first, drawn - drawn_of_first),
            items=len(items),
            seeds=len(first),
        )
        for name, (value, drawn) in values.items()
    }


def _counts(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """How often each of ``n`` is drawn in each resample, (resamples, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.float64)


def _pooled(
    table_SI2: NDArray[np.float64], seeds_RS: NDArray[np.float64], items_RI: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return parts over wholes in each resample (R,)."""
    parts, wholes = (np.einsum("ri,ri->r", seeds_RS @ table_SI2[:, :, k], items_RI) for k in (0, 1))
    return parts / np.maximum(wholes, 1e-12)


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Interval(value=value, low=float(low), high=float(high))
