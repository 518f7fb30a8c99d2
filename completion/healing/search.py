"""Expanding a law with a model: the contexts a tokenizer writes first, then what still weighs.

1. The canonical contexts are asked for in one batch.
2. While more than ``tolerance`` of the probability may sit in contexts that are not expanded, the
   heaviest of them are, a batch at a time, up to ``budget`` rows in all.

What is left then is in the law's bound. It knows rows as a function of ids, no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from completion.healing.cover import Ids
from completion.healing.memory import Remembered

if TYPE_CHECKING:
    from completion.healing.law import Law

BATCH = 16
"""Contexts expanded at once after the first batch: what the service runs at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How far a law is expanded."""

    tolerance: float
    """Share of the probability that may be left out."""
    budget: int
    """Most contexts, those of the first batch included."""


COMPLETING = Effort(tolerance=1e-2, budget=24)
"""For one completion that is drawn: what is left out is drawn in one case of a hundred at most."""
MEASURING = Effort(tolerance=1e-6, budget=256)
"""For ``NextBytes`` and ``Score``."""
RANKING = Effort(tolerance=3e-2, budget=12)
"""For ``Score`` of names that are to be ordered: such a share is 0.03 of a logarithm, less than what
tells one name from the next, and takes a fraction of the rows."""


async def expand(
    law: Law, rows: Remembered, first: Sequence[Ids], effort: Effort, *, following: bool
) -> None:
    """Expand ``law``; ``first`` are its canonical contexts, parents before children."""

    def more(room: int) -> list[Ids]:
        found = law.heaviest(following=following, tolerance=effort.tolerance, most=room)
        return [context.ids for context in found]

    await _take(law, rows, first)
    await _go_on(law, rows, effort.budget - len(first), more)


async def settle_best(law: Law, rows: Remembered, count: int, budget: int) -> None:
    """Expand ``law`` until its ``count`` most probable leaves are certain: no more than that needs."""

    def more(room: int) -> list[Ids]:
        found = sorted(law.rivals(count), key=lambda c: (-c.log_weight, c.ids))
        return [context.ids for context in found[:room]]

    await _go_on(law, rows, budget, more)


async def _go_on(law: Law, rows: Remembered, budget: int, more: Callable[[int], list[Ids]]) -> None:
    while budget > 0 and (wanted := more(min(BATCH, budget))):
        await _take(law, rows, wanted)
        budget -= len(wanted)


async def _take(law: Law, rows: Remembered, wanted: Sequence[Ids]) -> None:
    await rows.fetch(wanted)
    for ids in wanted:
        if ids in law.pending:  # one whose parent gave it no probability is not
            law.expand(ids, rows.known[ids])
