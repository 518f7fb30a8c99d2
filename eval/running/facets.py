"""The slices that items of any suite fall into, whatever their suite calls their kinds. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.item import Item
from eval.metrics.summary import Score, summarise
from eval.result import Metric

THERE = "file already there"
"""The slice by how much of the file stands before the cursor: of its bytes, the reference apart."""
_QUARTERS = ("0–25 %", "25–50 %", "50–75 %", "75–100 %")

Facets = Mapping[str, str]
"""By slice: the part that an item is in."""


def already_there(item: Item) -> Facets:
    """Return the part of :data:`THERE`; none where an item has nothing behind the cursor.

    What is not known there is how long the file is: a protocol of left context alone.
    """
    if not item.suffix:
        return {}
    share = len(item.prefix) / (len(item.prefix) + len(item.suffix))
    return {THERE: _QUARTERS[min(3, int(4 * share))]}


def by_facet(
    facets: Mapping[str, Facets], scores: Mapping[str, Mapping[str, Score]], *, seed: int = 0
) -> dict[str, dict[str, dict[str, Metric]]]:
    """Return the figures of each part of each slice; both maps are by item.

    A slice all of whose items are in one part tells nothing, and is left out.
    """
    found: dict[str, dict[str, dict[str, Metric]]] = {}
    for facet in dict.fromkeys(name for one in facets.values() for name in one):
        parts = parts_of(facets, facet)
        if len(parts) > 1:
            found[facet] = {
                part: summarise({item: scores[item] for item in items}, seed=seed)
                for part, items in parts.items()
            }
    return found


def parts_of(facets: Mapping[str, Facets], facet: str) -> dict[str, Sequence[str]]:
    """Return the items of each part of a slice, the parts in order of their names."""
    parts: dict[str, list[str]] = {}
    for item, one in facets.items():
        if facet in one:
            parts.setdefault(one[facet], []).append(item)
    return dict(sorted(parts.items()))
