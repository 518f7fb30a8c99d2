"""One edit that makes one text of another. Pure: bytes in, byte places out."""

from __future__ import annotations

from completion.wire import completion_pb2 as pb


def edit_between(before: bytes, after: bytes) -> pb.Edit:
    """Return the edit that makes ``after`` of ``before``; both are UTF-8, and so is the edit.

    It covers all that differs: of one edit it cannot be doubted to which text its places belong.
    """
    start = _common(before, after)
    while start and start < len(before) and _is_inside(before[start]):
        start -= 1
    rest = min(len(before), len(after)) - start
    same = _common(before[len(before) - rest :][::-1], after[len(after) - rest :][::-1])
    while same and _is_inside(before[len(before) - same]):
        same -= 1
    return pb.Edit(start=start, end=len(before) - same, text=after[start : len(after) - same])


def _common(one: bytes, other: bytes) -> int:
    """Return the length of the longest common start; slices are compared at the speed of memory."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _is_inside(byte: int) -> bool:
    """Whether a byte goes on with a character that began before it."""
    return byte & 0xC0 == 0x80
