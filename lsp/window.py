"""How much of a document is sent: a window around the cursor that moves in steps.

A window cut at a fixed distance from the cursor would start elsewhere after every keystroke, and
nothing that was computed for the last prompt would serve the next. So its start keeps to multiples
of a step from the document's start, its end to multiples of a step from the document's end, and
both go on to a line boundary: typing at the cursor moves neither until a step is full.
"""

from __future__ import annotations

from dataclasses import dataclass

STEP = 4096
"""Bytes by which an edge of the window moves; a quarter of the limit where that is less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The bytes sent before and after the cursor, and whether the document goes on beyond them."""

    prefix: bytes
    suffix: bytes
    prefix_truncated: bool
    suffix_truncated: bool


def cut(prefix: bytes, suffix: bytes, limit: int) -> Window:
    """Return the window of at most ``limit`` bytes on each side of the cursor.

    An edge is a line boundary where one is within the step, else a character boundary.
    """
    step = min(STEP, max(limit // 4, 1))
    start = _ceil(len(prefix) - limit, step)
    if start > 0:
        start = _line_start_from(prefix, start, start + step)
    end = len(suffix) - _ceil(len(suffix) - limit, step)
    if end < len(suffix):
        end = _line_end_before(suffix, end, end - step)
    return Window(
        prefix=prefix[max(start, 0) :],
        suffix=suffix[:end],
        prefix_truncated=start > 0,
        suffix_truncated=end < len(suffix),
    )


def _ceil(value: int, step: int) -> int:
    return max(0, -(-value // step) * step)


def _line_start_from(data: bytes, low: int, high: int) -> int:
    """Return the first line start in ``data[low:high]``; without one the first character start."""
    newline = data.find(b"\n", low - 1, min(high, len(data)))
    if newline >= 0:
        return newline + 1
    while low < len(data) and data[low] & 0xC0 == 0x80:
        low += 1
    return low


def _line_end_before(data: bytes, high: int, low: int) -> int:
    """Return the last line end in ``data[low:high]``; without one the last character start."""
    newline = data.rfind(b"\n", max(low, 0), high)
    if newline >= 0:
        return newline + 1
    while high > 0 and data[high] & 0xC0 == 0x80:
        high -= 1
    return high
