"""Token ids in the order of their bytes: every question about a byte prefix is one range.

A leaf set ("all tokens that start with these bytes") can have tens of thousands of members, so it
is never a list: it is two positions in this order. Ids without text are not in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Range = tuple[int, int]
"""Half-open positions in the order."""


class SortedVocabulary:
    """The order of one vocabulary. Several ids may have the same bytes; all of them count."""

    def __init__(self, token_bytes: Sequence[bytes]) -> None:
        spelled = sorted((text, i) for i, text in enumerate(token_bytes) if text)
        self.texts: list[bytes] = [text for text, _ in spelled]
        self.ids: list[int] = [i for _, i in spelled]
        """Id at each position."""
        self.longest = max(map(len, self.texts), default=0)
        """Bytes of the longest token."""
        self.next_byte = lru_cache(maxsize=512)(self._next_byte)
        self.without_text = lru_cache(maxsize=4)(self._without_text)

    @cached_property
    def order(self) -> Tensor:
        """Return :attr:`ids` as int64, to gather a row of the model in this order."""
        import torch

        return torch.tensor(self.ids, dtype=torch.int64)

    def __len__(self) -> int:
        """Return how many ids have text."""
        return len(self.texts)

    def starting_with(self, prefix: bytes) -> Range:
        """Return the tokens whose bytes start with ``prefix``, its own among them."""
        low = bisect_left(self.texts, prefix)
        after = _successor(prefix)
        return low, len(self.texts) if after is None else bisect_left(self.texts, after, lo=low)

    def spelling(self, text: bytes) -> Range:
        """Return the tokens whose bytes are exactly ``text``; several where bytes are doubled."""
        low = bisect_left(self.texts, text)
        high = low
        while high < len(self.texts) and self.texts[high] == text:
            high += 1
        return low, high

    def beginning(self, text: bytes) -> list[tuple[int, Range]]:
        """Return sizes below ``len(text)`` and the tokens that are exactly that much of its start."""
        found: list[tuple[int, Range]] = []
        for size in range(1, min(len(text) - 1, self.longest) + 1):
            low, high = self.spelling(text[:size])
            if low < high:
                found.append((size, (low, high)))
        return found

    def _next_byte(self, prefix: bytes) -> tuple[int, Tensor]:
        """Return what follows ``prefix`` in the tokens that :meth:`starting_with` finds.

        First how many of them, the first ones, are ``prefix`` itself and nothing more; then the
        byte behind it in each of the others, int64, in their order.
        """
        import torch

        low, high = self.starting_with(prefix)
        depth = len(prefix)
        longer = low
        while longer < high and len(self.texts[longer]) == depth:
            longer += 1
        following = bytes(text[depth] for text in self.texts[longer:high])
        return longer - low, torch.tensor(list(following), dtype=torch.int64)

    def _without_text(self, size: int) -> Tensor:
        """Return the ids below ``size`` that have no text, int64: special ones, holes, padding."""
        import torch

        missing = torch.ones(size, dtype=torch.bool)
        missing[self.order] = False
        return missing.nonzero()[:, 0]


def _successor(prefix: bytes) -> bytes | None:
    """Return the least bytes above everything that starts with ``prefix``; ``None``: there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None
