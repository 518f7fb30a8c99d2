"""What several sources found, in one order: reciprocal rank fusion. Pure.

Cormack et al., Reciprocal Rank Fusion (SIGIR 2009): a thing's score is the sum over the sources of
``weight / (K + rank)``. Ranks of different sources compare where their scores do not, and what two
sources agree on comes out ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lsp.context.found import Found

K = 60
"""The paper's constant: large, so that a first rank alone does not decide."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """One thing found, by one or more sources."""

    found: Found
    """As the source found it that gave it the most."""
    score: float
    sources: tuple[str, ...]
    """Who found it, in the order of the sources."""


def fuse(by_source: Mapping[str, Sequence[Found]], weights: Mapping[str, float]) -> list[Ranked]:
    """Return everything found, each once, the best first.

    Two findings are one when what they are about is the same place of the same file. Equal scores
    stay in the order of sources and ranks, so that equal input gives equal output.
    """
    best: dict[tuple[str, int, int], tuple[float, Found]] = {}
    total: dict[tuple[str, int, int], float] = {}
    sources: dict[tuple[str, int, int], list[str]] = {}
    for source, found in by_source.items():
        weight = weights.get(source, 1.0)
        seen: set[tuple[str, int, int]] = set()
        for rank, one in enumerate(found, start=1):
            key = (one.text.path, *one.core)
            if key in seen:
                continue
            seen.add(key)
            share = weight / (K + rank)
            total[key] = total.get(key, 0.0) + share
            sources.setdefault(key, []).append(source)
            if key not in best or share > best[key][0]:
                best[key] = (share, one)
    ranked = [
        Ranked(found=found, score=total[key], sources=tuple(sources[key]))
        for key, (_, found) in best.items()
    ]
    ranked.sort(key=lambda one: -one.score)  # stable
    return ranked
