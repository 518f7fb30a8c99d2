"""Sets of positions, one bit each, changed by ranges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
_MASKS = np.left_shift(1, np.arange(8)).astype(np.uint8)


def empty(positions: int) -> Bits:
    """Return a set that has room for ``positions``, with none in it."""
    return np.zeros((positions + 7) // 8, np.uint8)


def add(bits: Bits, start: int, stop: int) -> None:
    """Put the positions of the half-open range in."""
    if start >= stop:
        return
    first, last = start >> 3, (stop - 1) >> 3
    head, tail = 0xFF << (start & 7) & 0xFF, 0xFF >> (7 - ((stop - 1) & 7))
    if first == last:
        bits[first] |= head & tail
        return
    bits[first] |= head
    bits[first + 1 : last] = 0xFF
    bits[last] |= tail


def discard(bits: Bits, start: int, stop: int) -> None:
    """Take the positions of the half-open range out."""
    if start >= stop:
        return
    first, last = start >> 3, (stop - 1) >> 3
    head, tail = 0xFF << (start & 7) & 0xFF, 0xFF >> (7 - ((stop - 1) & 7))
    if first == last:
        bits[first] &= ~(head & tail) & 0xFF
        return
    bits[first] &= ~head & 0xFF
    bits[first + 1 : last] = 0
    bits[last] &= ~tail & 0xFF


def among(bits: Bits, positions: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which of ``positions``, (n,), are in the set."""
    return (bits.take(positions >> 3) & _MASKS.take(positions & 7)) != 0


def members(bits: Bits, start: int, stop: int) -> NDArray[np.bool_]:
    """Return for each position of the half-open range whether it is in; ``start`` a multiple of 8."""
    return np.unpackbits(
        bits[start >> 3 : (stop + 7) >> 3], count=stop - start, bitorder="little"
    ).view(np.bool_)
