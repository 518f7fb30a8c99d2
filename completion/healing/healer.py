"""Exact healing on an engine: what of a prefix is to be covered, and its law behind a prompt.

It knows the engine's interface, bytes and ids; no documents, no templates, no wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from completion.engine.base import Engine, RequestStats
from completion.healing.arms import Arm, Heals, Start, unfinished
from completion.healing.cover import Covers, Ids
from completion.healing.search import COMPLETING, Effort, Remembered, expand, expand_for_best
from completion.healing.sorted_vocabulary import SortedVocabulary
from completion.healing.vocabulary import Vocabulary

if TYPE_CHECKING:  # torch is imported when there is a law to be summed, not by who never asks
    from torch import Tensor

    from completion.healing.law import Law


class Healer:
    """Laws of one model."""

    def __init__(
        self, engine: Engine, vocabulary: Vocabulary, encode: Callable[[bytes], list[int]]
    ) -> None:
        self._engine = engine
        self._encode = encode
        self._sorted = SortedVocabulary(vocabulary.token_bytes)
        self._covers = Covers(self._sorted, vocabulary.token_bytes, encode)

    def typed(self, prefix: bytes, arm: Arm) -> bytes:
        """Return the end of ``prefix`` that an exact arm takes out of the prompt and covers."""
        if arm.heals is not Heals.EXACT:
            return b""
        if arm.start is Start.SETTLED:
            return prefix[len(prefix) - self._covers.back_off(prefix) :]
        return unfinished(prefix, arm.start)

    def behind(self, prompt: list[int], stats: RequestStats | None = None) -> Remembered:
        """Return the rows behind ``prompt``; ``stats`` are filled by the first of them."""
        waiting = [stats] if stats is not None else []

        async def rows(contexts: Sequence[Ids]) -> list[Tensor]:
            first = waiting.pop() if waiting else None
            return await self._engine.next_laws([[*prompt, *ids] for ids in contexts], first)

        return Remembered(rows)

    async def law(
        self, rows: Remembered, typed: bytes, effort: Effort, *, following: bool, masked: int = 0
    ) -> Law:
        """Return the law of ``typed`` behind the prompt of ``rows``; see :class:`Law`.

        ``following``: what comes behind ``typed`` is wanted too, not only leaves and its mass.
        """
        from completion.healing.law import Law

        law = Law(self._sorted, typed, masked=masked)
        first = await asyncio.to_thread(self._first, typed, following)
        await expand(law, rows, first, effort, following=following)
        return law

    async def best(self, rows: Remembered, typed: bytes, count: int) -> Law:
        """Return a law of ``typed`` expanded until its ``count`` best leaves are certain."""
        from completion.healing.law import Law

        law = Law(self._sorted, typed)
        first = await asyncio.to_thread(self._first, typed, False)
        await expand_for_best(law, rows, first, count, COMPLETING.budget)
        return law

    def _first(self, typed: bytes, following: bool) -> list[Ids]:
        """Return the canonical contexts; of a long text its own encoding's at least."""
        found = dict.fromkeys(self._covers.contexts(typed, exact=following))
        ids = tuple(self._encode(typed))
        found |= dict.fromkeys(ids[:n] for n in range(len(ids) + following))
        return sorted(found, key=len)
