"""No blanks and no blank lines at the end of a candidate."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft


def trim(text: bytes, cursor: Cursor) -> bytes:
    """Return ``text`` without what is blank at its end.

    In front of text on the cursor's line a blank may be what separates the two: only line ends go.
    In front of the closing bracket of a pair that the cursor is in the last line end stays, with
    the indentation of that bracket.
    Lines written before the cursor's line end with a line end, unless there is none in the text or
    the last one goes on in what is behind the cursor.
    """
    if cursor.place.between:
        solid = text.rstrip()
        goes_on = solid and cursor.joins_next and b"\n" not in text[len(solid) :]
        if goes_on or b"\n" not in text:
            return text
        return solid + b"\n" if solid else b""
    if cursor.between_brackets and b"\n" in text:
        solid = text.rstrip()
        gap = text[len(solid) :]
        return solid + gap[gap.rfind(b"\n") :] if solid and b"\n" in gap else text
    return text.rstrip(b" \t\r\n" if cursor.at_line_end else b"\r\n")


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Trim the end of the text."""
    return draft.with_text(trim(draft.text, cursor))
