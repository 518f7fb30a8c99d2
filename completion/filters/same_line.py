"""Finds where new text meets what is already behind the cursor on its line."""

from __future__ import annotations

from collections.abc import Callable

from completion.syntax.lexer import Lexer

_MIN_WORDS = 3
"""Bytes that a text after the cursor that begins with a word has at least, to end a line that
still goes on; shorter ones occur by chance and are only trimmed at the end."""


def is_word(byte: bytes) -> bool:
    """Tell whether ``byte`` can be part of a name; nothing is not."""
    return bool(byte) and (byte.isalnum() or byte == b"_" or byte[0] > 127)


def meets(
    line: bytes, rest: bytes, seen: int, at: Callable[[bytes], bool], *, ended: bool
) -> tuple[int, int] | None:
    """Return the first place where ``line`` goes into the whole of ``rest``, or ``None``.

    The result is the length of the line before it and the length at which that was certain.
    ``at`` tells whether a part of the line ends where exactly the cursor's own brackets and
    strings are open: an own ``)`` of the new text is not the one behind the cursor.
    ``seen`` bytes have been looked at before.
    """
    rest = rest.rstrip()
    if not rest or (is_word(rest[:1]) and len(rest) < _MIN_WORDS):
        return None
    pos = line.find(rest, max(0, seen - len(rest)))
    while pos >= 0:
        end = pos + len(rest)
        certain = end + 1 if is_word(rest[-1:]) else end
        if certain > len(line) and not ended:
            return None
        if _whole(line, pos, end, rest[-1:], line[end : end + 1]) and at(line[:pos]):
            return pos, min(certain, len(line))
        pos = line.find(rest, pos + 1)
    return None


def overlap(line: bytes, rest: bytes, at: Callable[[bytes], bool]) -> int:
    """Return how many bytes at the end of ``line`` are the start of ``rest``; 0: none.

    Character exact, whole words only, and only where ``at`` holds, as in :func:`meets`.
    """
    for size in range(min(len(line), len(rest)), 0, -1):
        start = len(line) - size
        if not line.endswith(rest[:size]) or not rest[:size].strip():
            continue
        if _whole(line, start, len(line), rest[size - 1 : size], rest[size : size + 1]) and at(
            line[:start]
        ):
            return size
    return 0


def _whole(line: bytes, start: int, end: int, last: bytes, following: bytes) -> bool:
    """Tell whether ``line[start:end]`` cuts no word and no character at either end."""
    if 0x80 <= line[start] < 0xC0:
        return False
    if start and is_word(line[start - 1 : start]) and is_word(line[start : start + 1]):
        return False
    return not (is_word(last) and is_word(following))


def cursor_test(
    same: Callable[[Lexer], bool], lexer: Lexer, head: bytes
) -> Callable[[bytes], bool]:
    """Return the ``at`` of :func:`meets` for a line that ``lexer`` stands at the start of."""
    return lambda part: same(lexer.peek(head + part))
