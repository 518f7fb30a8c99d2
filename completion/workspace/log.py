"""Tokens one after the other, laid out so that what stands before a place is one slice of bytes.

The first token is last in memory, and each one that is appended goes in front. The context of a
position, nearest token first, is then a run of bytes, and two contexts are compared as bytes are.
Positions count from the first token; in memory, position p is at index ~p, which holds however long
the log gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

REACH = 8
"""Most tokens of a context."""
START = REACH + 1
"""Position of the first token: before it are barriers, so that a slice never reaches the end."""
MOST_VOCABULARY = (1 << 21) - 1
"""Ids and the barrier have to differ in 21 bits, three of which are packed to a key to sort by."""

Tokens = NDArray[np.uint16 | np.uint32]
_ROOM = 1 << 8
"""Tokens, at least, that a log grows by."""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """The memory of a log at some time; what is appended later does not change what is read."""

    raw: bytearray
    tokens: Tokens
    """The same memory, the token of position p at ~p."""
    cells: memoryview
    """The same again: quicker than an array where one token is read."""
    width: int
    """Bytes of a token."""

    @property
    def barrier(self) -> int:
        """What stands where no context goes on."""
        return (1 << 8 * self.width) - 1

    def key(self, context: Sequence[int]) -> bytes:
        """Return a context, nearest token first, as it would be in memory."""
        width = self.width
        return b"".join([token.to_bytes(width, "little") for token in context])

    def between(self, start: int, stop: int) -> Tokens:
        """Return the tokens of a half-open range of positions."""
        return self.tokens[-stop:-start][::-1]

    def at(self, positions: NDArray[np.integer]) -> Tokens:
        """Return the tokens at positions, which are signed, (n,)."""
        return self.tokens.take(~positions)

    def before(self, positions: NDArray[np.integer], back: int) -> Tokens:
        """Return the tokens ``back`` before positions, which are signed, (n,)."""
        return self.tokens.take((back - 1) - positions)

    def common(self, position: int, key: bytes) -> int:
        """Return how many tokens before a position are as in the key of a context."""
        width, size = self.width, len(key)
        begin = -position * width
        other = self.raw[begin : begin + size]
        if other == key:
            return size // width
        differ = int.from_bytes(other, "big") ^ int.from_bytes(key, "big")
        return (8 * size - differ.bit_length()) // (8 * width)


@dataclass(slots=True, eq=False)
class Log:
    """A :class:`Text` that is appended to. ``vocabulary``: ids are below it."""

    vocabulary: int
    room: int = 0
    text: Text = field(init=False)
    stop: int = field(init=False, default=START)
    """The position that the next token will have."""

    def __post_init__(self) -> None:
        self.text = _text(self.vocabulary, START + self.room)

    def append(self, token: int) -> None:
        """Append an id, or a barrier where it is none."""
        stop = self.stop + 1
        if stop > len(self.text.tokens):
            self._grow(stop)
        text = self.text
        text.cells[-stop] = token if 0 <= token < self.vocabulary else text.barrier
        self.stop = stop

    def extend(self, *parts: Tokens) -> None:
        """Append tokens of the log's own type."""
        stop = self.stop + sum(map(len, parts))
        if stop > len(self.text.tokens):
            self._grow(stop)
        for part in parts:
            end = self.stop + len(part)
            self.text.tokens[-end : -self.stop] = part[::-1]
            self.stop = end

    def _grow(self, stop: int) -> None:
        old = self.text
        room = max(_ROOM, len(old.tokens) // 8)
        self.text = _text(self.vocabulary, max(stop, len(old.tokens) + room))
        self.text.tokens[-self.stop :] = old.tokens[-self.stop :]


def _text(vocabulary: int, size: int) -> Text:
    dtype = np.dtype("<u2") if vocabulary < 1 << 16 else np.dtype("<u4")
    raw = bytearray(size * dtype.itemsize)
    tokens = np.frombuffer(raw, dtype)
    tokens[-START:] = np.iinfo(dtype).max
    return Text(raw, tokens, tokens.data, dtype.itemsize)
