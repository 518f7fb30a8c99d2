"""Stretches of a file, and which of them are like the lines around a cursor. Pure but for a cache.

A file is cut into blocks of :data:`BLOCK` lines; a window is two blocks that touch. Blocks start at
fixed lines, so the windows of a file that is not edited are the same from one time to the next.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from completion.syntax.definitions import Piece
from lsp.context.found import Found, Spot, Text, line_end, line_start
from lsp.context.words import alike, words

BLOCK = 8
"""Lines of a block: windows of 16 lines hold a short function and fit the smallest prompt."""
MAX_BYTES = 720
"""Longest window; it is cut at a line end."""
MAX_FILE = 512 << 10
"""Larger files are not compared."""
LEAST = 0.06
"""Windows less alike are about something else."""
_KEPT = 64
QUERY_BEFORE = 1200
QUERY_AFTER = 300
"""Bytes around the cursor with which windows are compared."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A file's line starts and the words of its blocks."""

    starts: tuple[int, ...]
    blocks: tuple[frozenset[bytes], ...]


class Cuts:
    """Files cut into blocks, kept for a while: words and places, no text."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], Cut] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, text: Text) -> Cut:
        """Return ``text`` cut into blocks."""
        key = (text.path, len(text.data), hash(text.data))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = _cut(text.data)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def query(spot: Spot) -> frozenset[bytes]:
    """Return the words around the cursor."""
    text, at = spot.text, spot.offset
    return words(text[line_start(text, max(0, at - QUERY_BEFORE)) : at + QUERY_AFTER])


def best(
    cut: Cut, wanted: frozenset[bytes], first: int = 0, last: int | None = None
) -> Iterator[tuple[float, int]]:
    """Yield (likeness, first line) of the windows that begin in lines ``first`` to ``last``.

    The most alike first, none that shares a line with one before it.
    """
    low = first // BLOCK
    high = len(cut.blocks) if last is None else min(len(cut.blocks), last // BLOCK + 1)
    scored = sorted(((alike(wanted, _window(cut, n)), -n) for n in range(low, high)), reverse=True)
    taken: set[int] = set()
    for score, minus in scored:
        if score < LEAST:
            return
        if not {-minus - 1, -minus, -minus + 1} & taken:
            taken.add(-minus)
            yield score, -minus * BLOCK


def shown(text: Text, cut: Cut, first: int, count: int, kind: str, why: str) -> Found | None:
    """Return ``count`` lines from ``first`` on, less blank lines around them and what is too long."""
    starts = cut.starts
    if first >= len(starts):
        return None
    start = starts[first]
    end = starts[first + count] if first + count < len(starts) else len(text.data)
    if end - start > MAX_BYTES:
        whole = text.data.rfind(b"\n", start, start + MAX_BYTES)
        if whole < 0:
            return None  # one long line: no code that helps
        end = whole
    body = text.data[start:end]
    if not body.strip():
        return None
    start += len(body) - len(body.lstrip(b"\n"))
    end = line_end(text.data, start + len(text.data[start:end].rstrip()))
    return Found(text=text, kind=kind, pieces=(Piece(start, end),), why=why)


def line_of(cut: Cut, at: int) -> int:
    """Return the line that byte ``at`` is in."""
    return bisect_right(cut.starts, at) - 1


def _window(cut: Cut, block: int) -> frozenset[bytes]:
    if block + 1 < len(cut.blocks):
        return cut.blocks[block] | cut.blocks[block + 1]
    return cut.blocks[block]


def _cut(data: bytes) -> Cut:
    starts = [0]
    if len(data) <= MAX_FILE:
        at = data.find(b"\n")
        while at >= 0:
            starts.append(at + 1)
            at = data.find(b"\n", at + 1)
    blocks: list[frozenset[bytes]] = []
    for number in range(0, len(starts), BLOCK):
        end = starts[number + BLOCK] if number + BLOCK < len(starts) else len(data)
        small = len(data) <= MAX_FILE
        blocks.append(words(data[starts[number] : end]) if small else frozenset())
    return Cut(tuple(starts), tuple(blocks))
