"""Text that goes in circles is cut to its first round."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.filters.repeats import RepeatWatch, circles


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Cut a line, or a block of lines, that comes again and again; drop a line that loops."""
    watch, pos = RepeatWatch(), 0
    for line in draft.text.splitlines(keepends=True) if draft.text else ():
        cut = pos if circles(line.rstrip(b"\n")) else watch.push(line, pos)
        if cut is not None:
            text = draft.text[:cut].rstrip(b"\n")
            return Draft(text=text, replace_after=draft.replace_after)
        pos += len(line)
    return draft
