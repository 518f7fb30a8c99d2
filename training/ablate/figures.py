"""What is measured of each run, and the scores by item in which it is kept.

Pure. A score is a part and its whole, so that shares and bits per byte are pooled alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Scores = dict[str, dict[str, tuple[float, float]]]
"""By metric and item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One column of the table."""

    name: str
    label: str
    better: int
    """1 where more is better, -1 where less is."""
    percent: bool = True


FIGURES: tuple[Figure, ...] = (
    Figure(name="exact_match", label="raw EM", better=1),
    Figure(name="exact_match_cut", label="cut EM", better=1),
    Figure(name="ended_rightly", label="right, ended by itself", better=1),
    Figure(name="ended_by_model", label="ended by itself", better=1),
    Figure(name="accuracy", label="cardinal accuracy", better=1),
    Figure(name="mrr", label="cardinal MRR", better=1),
    Figure(name="rouge_l", label="ROUGE-L, n = 4", better=1),
    Figure(name="middle_bits_per_byte", label="bits per byte of middles", better=-1, percent=False),
    Figure(name="bits_per_byte", label="bits per byte", better=-1, percent=False),
)
"""Raw and cut as everywhere in the harness: the model's own text, and what an editor inserts. Bits
of middles are with their ends, teacher-forced, in both orders: the finest measure there is of what
a short training changed."""

SUITES = {
    "slices": ("exact_match", "exact_match_cut", "ended_by_model"),
    "cardinal": ("accuracy", "mrr", "rouge_l"),
}
"""The suites of ``caret eval`` that are run, and what is taken of each."""


def scores_of(suite: str, result: Mapping[str, Any]) -> Scores:
    """Return the scores in a result file of ``caret eval``."""
    found: Scores = {name: {} for name in SUITES[suite]}
    if suite == "slices":
        found["ended_rightly"] = {}
    for item in result["items"]:
        for name in SUITES[suite]:
            found[name][item["id"]] = (float(item["scores"][name]), 1.0)
        if suite == "slices":
            found["ended_rightly"][item["id"]] = (_ended_rightly(item), 1.0)
    return found


def _ended_rightly(item: Mapping[str, Any]) -> float:
    """Return 1 where the model ended the middle itself and it is the reference, blanks aside."""
    if item["raw"] is None or item["raw_end"] != "model":
        return 0.0
    return float(item["scores"]["exact_match"])
