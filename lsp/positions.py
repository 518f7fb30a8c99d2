"""Columns of one line in the client's units, and back. Knows no document and no LSP type.

A column on our side counts code points of the line's text. A client counts UTF-8, UTF-16 or
UTF-32 code units, as negotiated. What no client should send is clamped, never an error: a column
inside a character goes back to where the character starts, one past the end to the end.
"""

from __future__ import annotations

from enum import Enum

UNPAIRED = "surrogatepass"
"""Editors may hold half a surrogate pair for a moment; such a half counts, and is no error."""


class Encoding(Enum):
    """What a client's columns count."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


def column_of_units(text: str, units: int, encoding: Encoding) -> int:
    """Return the code-point column that ``units`` code units from the start of ``text`` are.

    ``text`` is a line without its end, so a column past the end of the line is its end.
    """
    if encoding is Encoding.UTF32 or text.isascii():
        return min(units, len(text))
    if encoding is Encoding.UTF8:
        data = text.encode("utf-8", UNPAIRED)
        if units >= len(data):
            return len(text)
        while data[units] & 0xC0 == 0x80:
            units -= 1
        return len(data[:units].decode("utf-8", UNPAIRED))
    data = text.encode("utf-16-le", UNPAIRED)
    cut = 2 * units
    if cut >= len(data):
        return len(text)
    if cut and data[cut + 1] & 0xFC == 0xDC and data[cut - 1] & 0xFC == 0xD8:
        cut -= 2
    return len(data[:cut].decode("utf-16-le", UNPAIRED))


def units_of_column(text: str, column: int, encoding: Encoding) -> int:
    """Return how many code units the first ``column`` code points of ``text`` are."""
    head = text[:column]
    if encoding is Encoding.UTF32 or head.isascii():
        return len(head)
    if encoding is Encoding.UTF8:
        return len(head.encode("utf-8", UNPAIRED))
    return len(head.encode("utf-16-le", UNPAIRED)) // 2


def column_of_byte(text: str, offset: int) -> int:
    """Return the column of the UTF-8 byte ``offset``, clamped as columns of a client are."""
    return column_of_units(text, offset, Encoding.UTF8)


def join_surrogates(text: str) -> str:
    """Return ``text`` with both halves of a pair, where they meet, as one character.

    An edit may bring a pair in two pieces; Python would keep them apart for ever.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", UNPAIRED).decode("utf-16-le", UNPAIRED)


def wire_bytes(text: str) -> bytes:
    """Return ``text`` as valid UTF-8: an unpaired surrogate goes as U+FFFD, which is as long."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text).encode("utf-8")


def wire_length(text: str) -> int:
    """Return how many bytes :func:`wire_bytes` of ``text`` are, without making them where it can."""
    return len(text) if text.isascii() else len(text.encode("utf-8", UNPAIRED))
