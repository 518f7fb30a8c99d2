"""Finds where new text meets what is already behind the cursor on its line."""

from __future__ import annotations

from collections.abc import Callable

from completion.syntax.boundaries import Place
from completion.syntax.lexer import Lexer

_MIN_WORDS = 3
"""Bytes that a text after the cursor that begins with a word has at least, to end a line that
still goes on; shorter ones occur by chance and are only trimmed at the end."""


_TELLING = 4
"""Solid bytes of a text after the cursor that cannot be met by chance."""

MeetingTest = Callable[[bytes, bytes], bool]
"""Tells of a line, up to behind its overlap, and of the overlap whether the brackets agree."""


def is_word(byte: bytes) -> bool:
    """Tell whether ``byte`` can be part of a name; nothing is not."""
    return bool(byte) and (byte.isalnum() or byte == b"_" or byte[0] > 127)


def meets(
    line: bytes,
    rest: bytes,
    seen: int,
    at: MeetingTest,
    *,
    ended: bool,
    inside: bool,
) -> tuple[int, int] | None:
    """Return the first place where ``line`` goes into the whole of ``rest``, or ``None``.

    The result is the length of the line before it and the length at which that was certain.
    ``at`` tells whether the brackets agree: an own ``)`` of the new text is not the one behind
    the cursor.
    ``seen`` bytes have been looked at before; ``inside``: the cursor is inside of a word.
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
        if _whole(line, pos, end, line[end : end + 1], inside) and at(line[:end], rest):
            return pos, min(certain, len(line))
        pos = line.find(rest, pos + 1)
    return None


def overlap(line: bytes, rest: bytes, at: MeetingTest, *, inside: bool) -> int:
    """Return how many bytes at the end of ``line`` are the start of ``rest``; 0: none.

    Character exact, whole words only (``inside`` of a word: its rest), and only where ``at``
    holds, as in :func:`meets`.
    """
    for size in range(min(len(line), len(rest)), 0, -1):
        start = len(line) - size
        if not line.endswith(rest[:size]) or not rest[:size].strip():
            continue
        if _whole(line, start, len(line), rest[size : size + 1], inside) and at(line, rest[:size]):
            return size
    return 0


def _whole(line: bytes, start: int, end: int, following: bytes, inside: bool) -> bool:
    """Tell whether ``line[start:end]`` cuts no word and no character at either end."""
    if 0x80 <= line[start] < 0xC0:
        return False
    joined = start > 0 and is_word(line[start - 1 : start]) and is_word(line[start : start + 1])
    if joined and (not inside or end - start < 2):
        return False  # a single letter is met by chance
    return not (is_word(line[end - 1 : end]) and is_word(following))


def meeting_test(place: Place, lexer: Lexer, head: bytes, replaced: int = 0) -> MeetingTest:
    """Return the ``at`` of :func:`meets` for a line that ``lexer`` stands at the start of.

    Brackets agree where exactly that is open behind the new text and the overlap which would be
    open behind the overlap without the new text (``replaced`` bytes of closers taken off). A long
    overlap that closes nothing may also stand further out: the new text has closed brackets.
    """
    cursor = place.state

    def shape(state: Lexer) -> list[tuple[bytes, int]]:
        return [
            (frame.text, frame.start if frame.start < cursor.base else -1) for frame in state.stack
        ]

    before = place.head + place.rest[:replaced]
    opened = shape(place.lines.peek(before))

    def agree(line: bytes, piece: bytes) -> bool:
        wanted, found = place.lines.peek(before + piece), lexer.peek(head + line)
        if wanted.in_comment != found.in_comment:
            return False
        if shape(wanted) == shape(found):
            return True
        telling = len(piece.strip()) >= _TELLING and shape(wanted) == opened
        return telling and shape(found) == opened[: len(found.stack)]

    return agree
