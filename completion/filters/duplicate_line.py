"""What is already there, right above or below, is no candidate: a line, or several in a row."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft

_WINDOW = 16
"""Lines above that several are compared with, blank ones not counted."""


def is_duplicate(line: bytes, cursor: Cursor) -> bool:
    """Tell whether ``line`` of the document equals its neighbour; lines of brackets never do."""
    line = line.rstrip()
    if not _says_something(line):
        return False
    return line == cursor.line_above() or line in cursor.next_lines()[:1]


def _says_something(line: bytes) -> bool:
    return any(byte > 127 or chr(byte).isalnum() for byte in line)


def document_line(text: bytes, cursor: Cursor, replace_after: int = 0) -> bytes | None:
    """Return the one line of the document that ``text`` makes; ``None``: it makes more."""
    solid = text.strip(b"\n")
    if b"\n" in solid:
        return None
    head = b"" if text.startswith(b"\n") else cursor.place.head
    rest = b"" if text.endswith(b"\n") else cursor.place.rest[replace_after:]
    return head + solid + rest


def _document_lines(text: bytes, cursor: Cursor, replace_after: int) -> list[bytes]:
    """Return the lines of the document that ``text`` makes, blank ones left out."""
    head = b"" if text.startswith(b"\n") else cursor.place.head
    rest = b"" if text.endswith(b"\n") else cursor.place.rest[replace_after:]
    lines = (head + text.strip(b"\n") + rest).split(b"\n")
    return [line.rstrip() for line in lines if line.strip()]


def _lines_above(cursor: Cursor) -> list[bytes]:
    """Return the last lines before the cursor's, blank ones left out, in their order."""
    before = cursor.before[: len(cursor.before) - len(cursor.place.head)]
    found: list[bytes] = []
    end = len(before)
    while end > 0 and len(found) < _WINDOW:
        start = before.rfind(b"\n", 0, end) + 1
        line = before[start:end].rstrip()
        if line:
            found.append(line)
        end = start - 1
    return found[::-1]


def _is_run(lines: list[bytes], of: list[bytes]) -> bool:
    """Tell whether ``lines`` stand in a row somewhere in ``of``."""
    size = len(lines)
    return any(of[at : at + size] == lines for at in range(len(of) - size + 1))


def may_be_duplicate(text: bytes, cursor: Cursor) -> bool:
    """Tell whether ``text``, or what it begins, may yet be declined here."""
    line = document_line(text, cursor)
    if line is not None and is_duplicate(line, cursor):
        return True
    lines = _document_lines(text, cursor, 0)
    return _is_run(lines, _lines_above(cursor)) or _is_run(lines, list(cursor.next_lines()))


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Decline a line identical to the one above or to the next one below that is not blank.

    Several lines are declined where they repeat the lines right above, or stand in a row among the
    next ones below: of one line that is chance (12 of 1000 lines of real code come again within
    three more), of two in a row it is not.
    """
    text = draft.text
    if not text.strip():
        return draft
    line = document_line(text, cursor, draft.replace_after)
    if line is not None:
        twice = is_duplicate(line, cursor)
    else:
        lines = _document_lines(text, cursor, draft.replace_after)
        above, below = _lines_above(cursor), list(cursor.next_lines())
        twice = any(map(_says_something, lines)) and (
            above[-len(lines) :] == lines or _is_run(lines, below)
        )
    return Declined("filtered:duplicate_line") if twice else draft
