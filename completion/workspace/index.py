"""Positions of a log in the order of what stands before them.

A position stands for the token at it, which is what followed, and for the up to
:data:`~completion.workspace.log.REACH` tokens before it, its context. Sorted by the context, nearest
token first, and then by what followed, the places where a suffix was seen lie next to each other: a
suffix array (Manber and Myers, SIAM J. Comput. 22(5), 1993) of the reversed text, cut off at
``REACH`` tokens. Four bytes a position; the contexts are read from the log when they are compared,
but for those of every :data:`BLOCK`-th.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from completion.workspace import bits as bit_set
from completion.workspace.bits import Bits
from completion.workspace.log import MOST_VOCABULARY, REACH, Text, Tokens

BLOCK = 64
"""Positions to one context that is held: half a byte a position at the most, and six comparisons."""
_PIECE = 1 << 15
"""Positions that are looked at or sorted at once: what a build needs beside its result."""

Positions = NDArray[np.int32]
_NEAREST_FIRST = np.arange(REACH)


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Sorted positions of a log's tokens before ``stop``."""

    order: Positions
    keys: NDArray[np.bytes_]
    """The contexts of every :data:`BLOCK`-th position, as bytes."""
    stop: int
    _cells: memoryview = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cells", self.order.data)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.order.nbytes + self.keys.nbytes

    def __len__(self) -> int:
        """Return how many positions are sorted."""
        return len(self._cells)

    def position(self, rank: int) -> int:
        """Return the position of a rank of the order."""
        return self._cells[rank]

    def rank(self, text: Text, key: bytes) -> int:
        """Return the first rank whose context is not before the one of ``key``."""
        block = int(self.keys.searchsorted(key))
        low, high = max(0, (block - 1) * BLOCK + 1), min(block * BLOCK, len(self._cells))
        cells, raw, width, size = self._cells, text.raw, text.width, len(key)
        while low < high:
            middle = (low + high) >> 1
            begin = -width * cells[middle]
            if raw[begin : begin + size] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def rank_behind(self, text: Text, key: bytes) -> int:
        """Return the first rank whose context is behind all that begin as ``key`` does."""
        last = key + b"\xff" * (REACH * text.width - len(key))
        block = int(self.keys.searchsorted(last, "right"))
        low, high = max(0, (block - 1) * BLOCK + 1), min(block * BLOCK, len(self._cells))
        cells, raw, width, size = self._cells, text.raw, text.width, len(key)
        while low < high:
            middle = (low + high) >> 1
            begin = -width * cells[middle]
            if raw[begin : begin + size] <= key:
                low = middle + 1
            else:
                high = middle
        return low


def build(text: Text, live: Bits, stop: int) -> Index:
    """Return the index of the positions before ``stop`` that are ``live``.

    They are sorted a range of nearest tokens at a time, so what this needs beside its result does
    not grow with the log, unless one token is most of it. Positions with nothing before them, which
    cannot be found, are left out.
    """
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, stop, _PIECE):
        nearest = _first_bytes(_nearest(text, live, start, min(stop, start + _PIECE))[0])
        counts += np.bincount(nearest, minlength=len(counts))
    ends = counts.cumsum(out=counts)
    order = np.empty(int(ends[-1]), np.int32)
    filled, low = 0, 0
    while filled < len(order):
        high = max(low + 1, int(np.searchsorted(ends, filled + _PIECE, "right")))
        size = int(ends[high - 1]) - filled
        if size:
            order[filled : filled + size] = _sorted(text, _between(text, live, stop, low, high))
        filled, low = filled + size, high
    held = order[::BLOCK]
    keys = np.empty((len(held), REACH), text.tokens.dtype)
    for start in range(0, len(held), _PIECE // REACH):
        part = slice(start, start + _PIECE // REACH)
        keys[part] = text.tokens.take(_NEAREST_FIRST - held[part, None])
    return Index(order, keys.view(f"S{REACH * text.width}").ravel(), stop)


def nothing(text: Text, stop: int) -> Index:
    """Return the index of a log with no position in it that counts."""
    return Index(np.empty(0, np.int32), np.empty(0, f"S{REACH * text.width}"), stop)


def _nearest(text: Text, live: Bits, start: int, stop: int) -> tuple[Tokens, Positions]:
    """Return the positions of a range that count, and the token before each."""
    inside = np.flatnonzero(bit_set.members(live, start, stop)).astype(np.int32) + np.int32(start)
    nearest = text.before(inside, 1)
    sense = nearest != text.barrier
    return nearest[sense], inside[sense]


def _first_bytes(nearest: Tokens) -> NDArray[np.uint16]:
    """Return the two bytes of tokens that memory has first, as numbers in the order of bytes."""
    return (nearest & 0xFFFF).astype(np.uint16).byteswap()


def _between(text: Text, live: Bits, stop: int, low: int, high: int) -> Positions:
    """Return the positions whose nearest token has first bytes of the half-open range."""
    found: list[Positions] = []
    for start in range(0, stop, _PIECE):
        nearest, positions = _nearest(text, live, start, min(stop, start + _PIECE))
        first = _first_bytes(nearest)
        found.append(positions[(first >= low) & (first < high)])
    return np.concatenate(found)


def _sorted(text: Text, positions: Positions, back: int = 1) -> Positions:
    """Return positions that have all the same before them up to ``back``, in order."""
    if len(positions) <= _PIECE // 2 or back > REACH:
        keys = [_packed(text, positions, offsets) for offsets in ((7, 8, 0), (4, 5, 6), (1, 2, 3))]
        return positions[np.lexsort(keys)]
    tokens = _in_order_of_bytes(text.before(positions, back))
    order = tokens.argsort(kind="stable").astype(np.int32)
    tokens, positions = tokens[order], positions[order]
    del order
    start = 0
    while start < len(positions):
        stop = min(start + _PIECE // 2, len(positions))
        if stop < len(positions):  # not between two that are alike
            stop = int(tokens.searchsorted(tokens[stop]))
        if stop > start:
            positions[start:stop] = _sorted(text, positions[start:stop])
        else:
            stop = int(tokens.searchsorted(tokens[start], "right"))
            positions[start:stop] = _sorted(text, positions[start:stop], back + 1)
        start = stop
    return positions


def _packed(text: Text, positions: Positions, offsets: tuple[int, ...]) -> NDArray[np.uint64]:
    """Return tokens at offsets before positions as one number each that sorts as their bytes do."""
    result = np.zeros(len(positions), np.uint64)
    for offset in offsets:
        result <<= np.uint64(21)
        result |= _in_order_of_bytes(text.before(positions, offset))
    return result


def _in_order_of_bytes(tokens: Tokens) -> NDArray[np.uint32]:
    """Return 21 bits of each token with those first that memory has first."""
    token = tokens.astype(np.uint32) & np.uint32(MOST_VOCABULARY)
    result = (token & np.uint32(0xFF)) << np.uint32(13)
    result |= token >> np.uint32(3) & np.uint32(0x1FE0)
    result |= token >> np.uint32(16)
    return result
