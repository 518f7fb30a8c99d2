"""Text that goes in circles is cut to its first round."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.filters.repeats import RepeatWatch, circles, first_round
from completion.filters.trailing_blanks import trim


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Cut a line, or a block of lines, that comes again and again.

    Of the cursor's own line, where it loops, the first round stays; another one is dropped.
    """
    watch, pos, head = RepeatWatch(cursor.line_above()), 0, cursor.place.head
    for line in draft.text.split(b"\n"):
        loop = circles(line)
        if loop is not None:
            cut = pos if pos or cursor.place.between else first_round(line, loop)
        else:
            cut = watch.push(head + line, pos) if line or pos else None
        if cut is not None:
            return draft.with_text(trim(draft.text[:cut], cursor))
        pos, head = pos + len(line) + 1, b""
    return draft
