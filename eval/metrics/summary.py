"""From scores of items to figures with intervals.

A figure is the mean over the items that have the metric; of a metric whose scores are pairs it is
the sum of the parts over the sum of the wholes. The interval is of 95 %, by one of two methods:

- **bootstrap over items** (Efron & Tibshirani 1993, section 13.3: percentiles): 2,000 resamples
  of the items with replacement, the 2.5th and the 97.5th percentile of the figure. Pairs are
  drawn as pairs.
- **Wilson's score interval** (Wilson 1927; Agresti & Coull 1998) where every score is 0 or 1, and
  where the items do not differ though the figure is a share (all of one value, or a single item).
  There a bootstrap has no width, or next to none, and would claim a certainty that ten items out
  of ten do not give. For shares that are not 0 or 1 it is wider than need be, never narrower.

What is left has no interval to be had, a single item of an unbounded metric: low and high are the
value itself, and ``n`` says why.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from eval.result import Metric

RESAMPLES = 2000
"""Percentiles at 2.5 and 97.5 then stand on 50 resamples each."""
ENOUGH = 200
"""Items under which every table warns."""
_CELLS = 2_000_000
"""Numbers drawn at once: bounds the memory, whatever the number of items."""
_KEPT = 6000
"""Items up to which a draw is kept for the next metric; 96 MB then."""
_Z = 1.959963984540054
"""The normal distribution's 97.5th percentile."""

Score = float | tuple[float, float]


def summarise(scores: Mapping[str, Mapping[str, Score]], *, seed: int = 0) -> dict[str, Metric]:
    """Return the figure of every metric, in the order in which metrics first appear.

    ``scores`` is by item and metric. Equal for equal ``seed``, whatever the order of items. A
    metric that no item has is left out, and so is one whose wholes sum to 0.

    Raises:
        ValueError: a score is not finite, or a metric is of pairs here and of numbers there.
    """
    tables: dict[str, list[tuple[str, float, float]]] = {}
    paired: dict[str, bool] = {}
    for item, row in scores.items():
        for metric, score in row.items():
            pair = isinstance(score, tuple | list)
            part, whole = score if pair else (score, 1.0)
            if not (math.isfinite(part) and math.isfinite(whole)):
                raise ValueError(f"{metric} of {item} is {score}")
            if paired.setdefault(metric, pair) != pair:
                raise ValueError(f"{metric} of {item} is {score}; of other items it is not so")
            tables.setdefault(metric, []).append((item, float(part), float(whole)))
    sorted_ = {
        # By item: the figures do not depend on the order of answering.
        metric: np.array([row[1:] for row in sorted(table)], dtype=np.float64)
        for metric, table in tables.items()
    }
    kept = {metric: table for metric, table in sorted_.items() if table[:, 1].sum() != 0}
    bounds = _bounds(kept, seed)
    return {metric: _metric(table, *bounds[metric]) for metric, table in kept.items()}


def wilson(successes: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, of ``successes`` (may be fractional) in ``n``."""
    share = successes / n
    middle = share + _Z**2 / (2 * n)
    reach = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    # At 0 and 1 the bound is the share itself; arithmetic misses it by a rounding error.
    low = 0.0 if share == 0 else (middle - reach) / scale
    high = 1.0 if share == 1 else (middle + reach) / scale
    return low, high


def interval(figures: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % percentile interval of resampled figures (linear between neighbours)."""
    low, high = np.percentile(figures, (2.5, 97.5))
    return float(low), float(high)


def resampled(values: NDArray[np.float64], *, seed: int = 0) -> NDArray[np.float64]:
    """Return the sums of :data:`RESAMPLES` resamples of the rows of ``values``.

    ``values`` is (items, columns), the return (resamples, columns): rows are drawn whole, so what
    stands in one row stays paired. The draw depends on ``seed`` and the number of rows alone.
    """
    n = len(values)
    draws = _kept_draws(n, seed) if n <= _KEPT else _draws(n, seed)
    return np.concatenate([counts @ values for counts in draws])


def _draws(n: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each of ``n`` items was drawn, (resamples, items), some resamples at once."""
    random = np.random.default_rng([seed, n])
    step = max(1, _CELLS // n)
    for start in range(0, RESAMPLES, step):
        counts = np.empty((min(step, RESAMPLES - start), n))
        for row in counts:
            row[:] = np.bincount(random.integers(0, n, n), minlength=n)
        yield counts


@functools.lru_cache(maxsize=1)
def _kept_draws(n: int, seed: int) -> tuple[NDArray[np.float64], ...]:
    """Keep the last draw: all metrics of a run are of the same items, mostly."""
    return tuple(_draws(n, seed))


def _metric(table: NDArray[np.float64], low: float, high: float) -> Metric:
    part, whole = table.sum(axis=0)
    value = float(part / whole)
    # The mean itself may lie a rounding error outside of its resamples.
    return Metric(value=value, low=min(low, value), high=max(high, value), n=len(table))


def _bounds(tables: Mapping[str, NDArray[np.float64]], seed: int) -> dict[str, tuple[float, float]]:
    """Return the interval of each metric; those of equally many items are drawn in one go."""
    found: dict[str, tuple[float, float]] = {}
    sizes: dict[int, list[str]] = {}
    for metric, table in tables.items():
        share = _without_spread(table)
        if share is None:
            sizes.setdefault(len(table), []).append(metric)
        else:
            found[metric] = wilson(share * len(table), len(table))
    for metrics in sizes.values():
        sums = resampled(np.concatenate([tables[metric] for metric in metrics], axis=1), seed=seed)
        for parts, wholes, metric in zip(sums.T[::2], sums.T[1::2], metrics, strict=True):
            there = wholes != 0  # a resample of nothing but empty wholes has no ratio
            found[metric] = interval(parts[there] / wholes[there])
    return found


def _without_spread(table: NDArray[np.float64]) -> float | None:
    """Return the share that Wilson's interval is for; ``None``: the items differ otherwise."""
    parts, wholes = table.T
    binary = bool((wholes == 1).all() and np.isin(parts, (0.0, 1.0)).all())
    share = bool(((parts >= 0) & (parts <= wholes)).all())
    # Cross-multiplied, so that a whole of 0 (which says nothing) does not count as a difference.
    alike = bool(np.allclose(parts * wholes.sum(), wholes * parts.sum(), rtol=1e-12, atol=0))
    return float(parts.sum() / wholes.sum()) if binary or (alike and share) else None
