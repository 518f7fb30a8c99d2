"""Rows of the law that were asked for already: while a word is typed, most of the next ones.

In memory only and capped; prompts are kept as digests. It knows ids and rows, no engine.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from completion.healing.cover import Ids

if TYPE_CHECKING:
    from torch import Tensor

Rows = Callable[[Sequence[Ids]], Awaitable["list[Tensor]"]]
"""The model's laws behind the prompt and each of some contexts: (V,) float32 each."""

MOST_PROMPTS = 64
MOST_BYTES = 32 << 20
"""Of rows: a thousand of the bundled model's, fifty of a vocabulary of 150,000."""


@dataclass(slots=True)
class Remembered:
    """Rows of one prompt, asked for once; several laws behind it share them."""

    rows: Rows
    known: dict[Ids, Tensor] = field(default_factory=dict)
    _asked: dict[Ids, asyncio.Future[list[Tensor]]] = field(default_factory=dict, init=False)

    def knows(self, wanted: Iterable[Ids]) -> bool:
        """Return whether nothing of ``wanted`` would have to be asked for."""
        return all(ids in self.known for ids in wanted)

    async def fetch(self, wanted: Sequence[Ids]) -> None:
        """Have the rows of ``wanted`` known; what another law is waiting for is asked for once."""
        others = [self._asked[ids] for ids in wanted if ids in self._asked]
        missing = [ids for ids in wanted if ids not in self.known and ids not in self._asked]
        if missing:
            asking = asyncio.ensure_future(self.rows(missing))
            self._asked.update((ids, asking) for ids in missing)
            try:
                self.known.update(zip(missing, await asking, strict=True))
            finally:
                for ids in missing:
                    del self._asked[ids]
        if others:
            await asyncio.gather(*others, return_exceptions=True)
            if not self.knows(wanted):  # who asked gave up, or failed
                await self.fetch(wanted)


class RowMemory:
    """What is remembered of the prompts that were used last."""

    def __init__(self, most_prompts: int = MOST_PROMPTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_prompts, self._most_bytes = most_prompts, most_bytes
        self._prompts: OrderedDict[bytes, Remembered] = OrderedDict()

    def of(self, prompt: list[int], rows: Rows, mixed: bytes = b"") -> Remembered:
        """Return what is known behind ``prompt``, empty for a new one that ``rows`` answers for.

        ``mixed`` says what is mixed into the laws, and whose they are: those of another mixture are
        others, and what one caller asked for is not sooner there for another.
        """
        digest = blake2b(array("q", prompt).tobytes(), digest_size=16)
        digest.update(mixed)
        key = digest.digest()
        self._shrink()
        found = self._prompts.setdefault(key, Remembered(rows))
        self._prompts.move_to_end(key)
        return found

    def nbytes(self) -> int:
        """Return how many bytes of rows are kept."""
        return sum(row.nbytes for one in self._prompts.values() for row in one.known.values())

    def _shrink(self) -> None:
        while len(self._prompts) >= self._most_prompts:
            self._prompts.popitem(last=False)
        while self._prompts and self.nbytes() > self._most_bytes:
            self._prompts.popitem(last=False)
