"""A candidate consists of whole, valid UTF-8 characters: it ends before the first that is not."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft


def open_character(text: bytes) -> bytes:
    """Return the bytes of the character that ``text`` ends inside of; nothing if it is whole."""
    for size in range(1, min(3, len(text)) + 1):
        byte = text[-size]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return text[-size:] if size < length else b""
        if byte < 0x80:
            break
    return b""


def whole(text: bytes, begun: bytes = b"") -> tuple[int, bool]:
    """Return how many bytes of ``text`` are whole characters, and whether invalid ones follow.

    ``begun`` are bytes of the first character that are there already.
    """
    if not text or not 0x80 <= text[0] < 0xC0:
        begun = b""
    try:
        (begun + text).decode()
    except UnicodeDecodeError as error:
        cut = max(0, error.start - len(begun))
        return cut, error.reason != "unexpected end of data"
    return len(text), False


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Cut the text at the first character that is broken or not there as a whole."""
    length, _ = whole(draft.text, open_character(cursor.prefix))
    return Draft(text=draft.text[:length], replace_after=draft.replace_after)
