"""Exact healing on an engine: what of a prefix is to be covered, and its law behind a prompt.

It knows the engine's interface, bytes and ids; no documents, no templates, no wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from completion.engine.base import Engine
from completion.healing.arms import Arm, Heals, Start, unfinished
from completion.healing.cover import Covers, Ids
from completion.healing.memory import Remembered, RowMemory
from completion.healing.search import COMPLETING, Effort, expand, settle_best
from completion.healing.sorted_vocabulary import SortedVocabulary
from completion.healing.vocabulary import Vocabulary
from completion.workspace.request import Mixing

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
        self._memory = RowMemory()
        self._sorted = SortedVocabulary(vocabulary.token_bytes)
        self._covers = Covers(self._sorted, vocabulary.token_bytes, encode)

    def typed(self, prefix: bytes, arm: Arm) -> bytes:
        """Return the end of ``prefix`` that an exact arm takes out of the prompt and covers."""
        if arm.heals is not Heals.EXACT:
            return b""
        if arm.start is Start.SETTLED:
            return prefix[len(prefix) - self._covers.back_off(prefix) :]
        return unfinished(prefix, arm.start)

    def spelled(self, typed: bytes) -> Ids:
        """Return the tokens that ``typed`` has where nothing follows: how it stands in a prompt."""
        return tuple(self._encode(typed))

    def behind(
        self, prompt: list[int], mixing: Mixing | None = None, cache_salt: str = ""
    ) -> Remembered:
        """Return the rows behind ``prompt``, with those that were asked for lately, by whom too."""

        async def rows(contexts: Sequence[Ids]) -> list[Tensor]:
            prompts = [[*prompt, *ids] for ids in contexts]
            return await self._engine.next_laws(prompts, mixing=mixing, cache_salt=cache_salt)

        mixed = b"" if mixing is None else mixing.key
        return self._memory.of(prompt, rows, mixed + cache_salt.encode())

    async def law(
        self, rows: Remembered, typed: bytes, effort: Effort, *, following: bool, masked: int = 0
    ) -> Law:
        """Return the law of ``typed`` behind the prompt of ``rows``, to measure something by it.

        ``following``: what comes behind ``typed`` is wanted too, not only its mass. ``masked``: see
        :class:`Law`.
        """
        from completion.healing.law import Law

        law = Law(self._sorted, typed, masked=masked)
        first = await asyncio.to_thread(self._first, typed, following)
        await expand(law, rows, first, effort, following=following)
        return law

    async def along(self, rows: Remembered, typed: bytes) -> Law:
        """Return a law of ``typed`` expanded along the tokens that ``typed`` has by itself.

        The rows behind these come with one request, so they are what there is at first.
        """
        from completion.healing.law import Law

        ids = self.spelled(typed)
        law = Law(self._sorted, typed)
        along = [ids[:n] for n in range(len(ids))]
        await expand(law, rows, along, Effort(tolerance=1.0, budget=len(along)), following=False)
        return law

    async def settle_best(self, law: Law, rows: Remembered, count: int) -> None:
        """Expand ``law`` until its ``count`` best leaves are certain."""
        await settle_best(law, rows, count, COMPLETING.budget)

    async def settle(self, law: Law, rows: Remembered) -> None:
        """Expand ``law`` until nearly nothing is missing, to draw leaves from it."""
        await expand(law, rows, [], COMPLETING, following=False)

    def _first(self, typed: bytes, following: bool) -> list[Ids]:
        """Return the canonical contexts; of a long text its own encoding's at least."""
        found = dict.fromkeys(self._covers.contexts(typed, exact=following))
        ids = self.spelled(typed)
        found |= dict.fromkeys(ids[:n] for n in range(len(ids) + following))
        return sorted(found, key=len)
