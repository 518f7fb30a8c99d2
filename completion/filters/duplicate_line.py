"""A single line that is already there, right above or right below, is no candidate."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft


def is_duplicate(line: bytes, cursor: Cursor) -> bool:
    """Tell whether ``line`` of the document equals its neighbour; lines of brackets never do."""
    line = line.rstrip()
    if not any(byte > 127 or chr(byte).isalnum() for byte in line):
        return False
    return line == cursor.line_above() or line in cursor.next_lines()[:1]


def document_line(text: bytes, cursor: Cursor, replace_after: int = 0) -> bytes | None:
    """Return the one line of the document that ``text`` makes; ``None``: it makes more."""
    solid = text.strip(b"\n")
    if b"\n" in solid:
        return None
    head = b"" if text.startswith(b"\n") else cursor.place.head
    rest = b"" if text.endswith(b"\n") else cursor.place.rest[replace_after:]
    return head + solid + rest


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Decline a line identical to the one above or to the next one below that is not blank."""
    line = document_line(draft.text, cursor, draft.replace_after)
    if line is not None and draft.text.strip() and is_duplicate(line, cursor):
        return Declined("filtered:duplicate_line")
    return draft
