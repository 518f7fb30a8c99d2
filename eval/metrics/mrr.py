"""Mean reciprocal rank (MRR): how far up a list the right answer stands."""

from __future__ import annotations

from collections.abc import Sequence


def reciprocal_rank(ranked: Sequence[str], reference: str, depth: int = 10) -> float:
    """Return 1 / rank of the first answer that is exactly ``reference``; 0 if none of the first
    ``depth`` is.

    MRR@depth is the mean of it (CodeFill, Izadi et al. 2022, section 4.3, with a depth of 10).
    An answer that stands there twice takes two places, as it would in a list that is shown.

    Raises:
        ValueError: ``depth`` is less than 1.
    """
    if depth < 1:
        raise ValueError(f"a depth of {depth} has no ranks")
    for rank, answer in enumerate(ranked[:depth], start=1):
        if answer == reference:
            return 1 / rank
    return 0.0
