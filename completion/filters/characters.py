"""A candidate consists of whole, valid UTF-8 characters: it ends before the first that is not.

At its edges the document may have the rest of a character: it then begins or ends inside of one.
"""

from __future__ import annotations

import re

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft

_CONTINUATION = re.compile(rb"[\x80-\xbf]+")


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


def joins(text: bytes, begun: bytes, after: bytes) -> bool:
    """Tell whether ``text`` ends inside a character that ``after`` has the rest of.

    ``begun`` as in :func:`whole`.
    """
    part, rest = open_character(begun + text), _CONTINUATION.match(after)
    if not part or rest is None:
        return False
    try:
        return len((part + rest[0]).decode()) == 1
    except UnicodeDecodeError:
        return False


def joining(part: bytes, begun: bytes, after: bytes) -> bytes:
    """Return how much of ``part``, a character that never ended, goes on in ``after``.

    The rest of it is there already.
    """
    for size in range(len(part), 0, -1):
        if after.startswith(part[size:]) and joins(part[:size], begun, after):
            return part[:size]
    return b""


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Cut the text at the first character that is broken or not there as a whole."""
    begun = open_character(cursor.prefix)
    length, broken = whole(draft.text, begun)
    if not broken and joins(draft.text, begun, cursor.suffix):
        return draft
    return draft.with_text(draft.text[:length])
