"""Latency by stage over the items of a run.

Percentiles are nearest-rank (Hyndman & Fan 1996, definition 1): the smallest observed value that
at least p % of the observations do not exceed. So every figure is a time that some request really
took, and p99 of fewer than 100 requests is the worst of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

STAGES = (
    "queue_ms", "prompt_ms", "first_token_ms", "first_line_ms", "total_ms", "round_trip_ms",
    "prompt_tokens", "cached_tokens", "recomputed_tokens", "generated_tokens",
)  # fmt: skip
"""In the order of a table: the fields of :class:`eval.item.Timings` and what was not cached."""


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile, 0 < ``percent`` ≤ 100.

    Raises:
        ValueError: there are no values, or ``percent`` is out of range.
    """
    if not values or not 0 < percent <= 100:
        raise ValueError(f"no {percent}th percentile of {len(values)} values")
    # Rounded first: 0.95 * 20 must be rank 19, and binary fractions make it a little more.
    rank = math.ceil(round(percent * len(values) / 100, 9))
    return sorted(values)[rank - 1]


def table(rows: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return ``p50``, ``p95``, ``p99``, ``mean`` and ``n`` by stage.

    ``rows`` are the timings of items, by the names of :data:`STAGES` and any others. A row without
    a stage does not count in it, a stage without rows is left out; ``recomputed_tokens`` is worked
    out where only prompt and cached tokens are there.
    """
    known: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for row in rows:
        full = dict(row)
        if "prompt_tokens" in full and "cached_tokens" in full:
            full.setdefault("recomputed_tokens", full["prompt_tokens"] - full["cached_tokens"])
        for stage, value in full.items():
            known.setdefault(stage, []).append(float(value))
    return {stage: _row(values) for stage, values in known.items() if values}


def _row(values: list[float]) -> dict[str, float]:
    return {
        "p50": percentile(values, 50),
        "p95": percentile(values, 95),
        "p99": percentile(values, 99),
        "mean": math.fsum(values) / len(values),
        "n": float(len(values)),
    }
