"""What a request sees of the store: a snapshot, and the look-up in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from completion.workspace import bits as bit_set
from completion.workspace.bits import Bits
from completion.workspace.index import Index
from completion.workspace.log import Text
from completion.workspace.scan import FEW, MOST_INSPECTED, Seen, count, count_few, scan

_MOST_HELD = 1024
"""Frequent suffixes whose counts a view holds on to, some kilobytes each at the most."""
_MOST_SOUGHT = 1 << 15
"""Places of a suffix that are looked at if none of the first few counts, as where most of them are in
the file that is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A snapshot of a store; nothing that happens to the store later changes it.

    The log it reads is only ever appended to, so it holds on to that and to its own set of the
    positions that count.
    """

    text: Text
    stop: int
    """Where the log ended."""
    index: Index
    live: Bits
    vocabulary: int
    version: int
    """:attr:`Store.version` as it was."""
    epoch: int
    """How often the log had been written anew, which gives entries other numbers."""
    _held: dict[tuple[int, int], Seen] = field(default_factory=dict)
    """What was found of suffixes that are frequent, by rank and length."""

    def find(self, context: Sequence[int], key: bytes) -> tuple[Seen, ...]:
        """Return where the longest suffix of ``context`` was seen with something after it.

        ``context``: nearest token first, 1 to :data:`~completion.workspace.log.REACH`, each an id of
        the vocabulary; ``key`` the same as bytes. What is returned is of one length and to be added
        up; nothing where not even the nearest token was seen.
        """
        old = self._sorted(key)
        least = old.length if old else 1
        new = None
        if self.stop > self.index.stop:
            new = scan(self.text, self.index.stop, self.stop, context, key, least, live=self.live)
        if old and new and new.length > old.length:
            return (new,)
        return tuple(seen for seen in (old, new) if seen)

    def _sorted(self, key: bytes) -> Seen | None:
        text, index = self.text, self.index
        low = high = index.rank(text, key)
        # Away from where the context belongs, less and less is common. Each round takes in what has
        # as much in common as the nearest that is left, on both sides.
        while length := max(
            text.common(index.position(low - 1), key) if low else 0,
            text.common(index.position(high), key) if high < len(index) else 0,
        ):
            part = key[: length * text.width]
            low = self._down(low, part) if low else 0
            high = self._up(high, part) if high < len(index) else high
            if seen := self._live(low, high, length):
                return seen
        return None

    def _down(self, rank: int, part: bytes) -> int:
        """Return the first rank of those that begin with ``part`` and end at ``rank``."""
        text, index = self.text, self.index
        width, size = text.width, len(part)
        far = max(0, rank - FEW)
        begin = -width * index.position(far)
        if text.raw[begin : begin + size] == part:
            return index.rank(text, part) if far else 0
        while True:
            rank -= 1
            begin = -width * index.position(rank)
            if text.raw[begin : begin + size] != part:
                return rank + 1

    def _up(self, rank: int, part: bytes) -> int:
        """Return the rank behind those that begin with ``part`` and start at ``rank``."""
        text, index = self.text, self.index
        width, size = text.width, len(part)
        far = min(len(index) - 1, rank + FEW)
        begin = -width * index.position(far)
        if text.raw[begin : begin + size] == part:
            return index.rank_behind(text, part) if far < len(index) - 1 else len(index)
        while True:
            begin = -width * index.position(rank)
            if text.raw[begin : begin + size] != part:
                return rank
            rank += 1

    def _live(self, low: int, high: int, length: int) -> Seen | None:
        """Return what followed at the ranks of a half-open range, of those that count."""
        if high - low <= FEW:
            live = self.live
            few = [p for p in self.index.order[low:high].tolist() if live[p >> 3] >> (p & 7) & 1]
            return count_few(self.text, length, few) if few else None
        if (held := self._held.get((low, length))) is not None:
            return held
        for most in (MOST_INSPECTED, _MOST_SOUGHT):
            some = self.index.order[low : high : -(-(high - low) // most)]
            inspected = len(some)
            some = some[bit_set.among(self.live, some)]
            if len(some):
                seen = count(self.text, length, some, (high - low) / inspected)
                if len(self._held) < _MOST_HELD:
                    self._held[low, length] = seen
                return seen
        return None
