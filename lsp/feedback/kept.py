"""How much of an accepted text is still there. Pure.

The longest common subsequence of words and signs, as a share of the accepted ones. Not of single
characters: any two pieces of code have half of their letters in common in some order, so that a text
which was deleted and replaced would count as half kept. Blanks do not count: a formatter or a new
indent loses nothing.
"""

from __future__ import annotations

import re

LONGEST = 64 << 10
"""Characters that are compared; what goes beyond is left out, on both sides."""

_PIECE = re.compile(r"\w+|[^\w\s]")


def pieces(text: str) -> list[str]:
    """Return the words and signs of ``text``, without blanks."""
    return _PIECE.findall(text[:LONGEST])


def kept_share(accepted: str, now: str) -> float | None:
    """Return the share of ``accepted`` that ``now`` still has, 0 to 1; None: there is only blank."""
    from rapidfuzz.distance import LCSseq

    before = pieces(accepted)
    return LCSseq.similarity(before, pieces(now)) / len(before) if before else None


def without_surroundings(now: str, head: str, tail: str) -> str:
    """Return ``now`` less what stood before and after the suggestion on its line already."""
    start = _common(now, head)
    end = _common(now[start:][::-1], tail[::-1])
    return now[start : len(now) - end]


def _common(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    most = min(len(one), len(other))
    return next((n for n in range(most) if one[n] != other[n]), most)
