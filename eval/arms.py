"""Which way of asking suits a model best, from results of one suite, one for each arm.

Pure. The best arm is the one with the highest figure; every other is held against it pair by pair,
and one that is not shown to be worse is a tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from eval.compare import compare
from eval.result import Metric
from eval.side import Side

DECIDES = "edit_similarity_cut"
"""The metric that decides: all middles count, not only those that come out whole."""
SHOWN = (DECIDES, "edit_similarity", "exact_match_cut", "exact_match")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One arm."""

    arm: str
    metrics: dict[str, Metric]
    behind: float
    """The best arm's figure less its own, over the items of both; 0 of the best itself."""
    low: float
    high: float
    tie: bool
    """Whether it is not shown to be behind."""


def ranked(sides: Mapping[str, Side]) -> list[Row]:
    """Return the arms, best first.

    Raises:
        UsageError: their results are not of the same items.
    """
    figures = {arm: side.result.metrics for arm, side in sides.items()}
    order = sorted(sides, key=lambda arm: -figures[arm][DECIDES].value)
    best = order[0]
    rows: list[Row] = []
    for arm in order:
        value = low = high = 0.0
        if arm != best:
            (row,) = (
                r for r in compare(sides[arm], sides[best], [DECIDES]).rows if r.metric == DECIDES
            )
            value, low, high = row.difference.value, row.difference.low, row.difference.high
        shown = {name: figures[arm][name] for name in SHOWN if name in figures[arm]}
        rows.append(Row(arm=arm, metrics=shown, behind=value, low=low, high=high, tie=low <= 0))
    return rows


def record(rows: list[Row], side: Side) -> dict[str, Any]:
    """Return what is kept with the model: the default arm and what it stands on."""
    result = side.result
    return {
        "format": 1,
        "default_arm": rows[0].arm,
        "suite": result.suite,
        "suite_version": result.suite_version,
        "items": len(result.items),
        "data": result.data,
        "checksum": result.model.get("checksum", ""),
        "decided_by": DECIDES,
        "arms": {
            row.arm: {name: _rounded(asdict(figure)) for name, figure in row.metrics.items()}
            | {"behind": _rounded({"value": row.behind, "low": row.low, "high": row.high})}
            for row in rows
        },
    }


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}
