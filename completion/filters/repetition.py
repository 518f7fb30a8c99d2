"""Text that goes in circles is cut to its first round."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.filters.repeats import RepeatWatch, circles
from completion.filters.trailing_blanks import trim


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Cut a line, or a block of lines, that comes again and again; drop a line that loops."""
    watch, pos, head = RepeatWatch(), 0, cursor.place.head
    for line in draft.text.split(b"\n"):
        cut = pos if circles(line) else watch.push(head + line, pos) if line or pos else None
        if cut is not None:
            return Draft(text=trim(draft.text[:cut], cursor), replace_after=draft.replace_after)
        pos, head = pos + len(line) + 1, b""
    return draft
