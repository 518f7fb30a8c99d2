"""Closers that the editor has already put behind the cursor and the candidate brings itself."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Set how many bytes of the suffix the text replaces: closing brackets and quotes only.

    The candidate's own balance decides: for each bracket or string open at the cursor that the
    text closes, innermost first, its closer is replaced if it is what comes next in the suffix.
    """
    place = cursor.place
    before = place.state.stack
    after = place.lines.peek(place.head + draft.text).stack
    kept = 0
    while kept < min(len(before), len(after)) and before[kept].start == after[kept].start:
        kept += 1
    replaced = 0
    for frame in reversed(before[kept:]):
        if not place.rest.startswith(frame.closer, replaced):
            break
        replaced += len(frame.closer)
    return Draft(text=draft.text, replace_after=replaced)
