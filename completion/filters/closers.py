"""Closers that the editor has already put behind the cursor and the candidate brings itself."""

from __future__ import annotations

from dataclasses import replace

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.syntax.boundaries import CLOSERS


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Set how many bytes of the suffix the text replaces: closing brackets and quotes only.

    The candidate's own balance decides: for each bracket or string open at the cursor that the
    text closes, innermost first, its closer is replaced if it is what comes next in the suffix.
    """
    replaced = replaced_by(draft.text, cursor)
    if replaced and draft.text == cursor.place.rest[:replaced]:
        return Declined("filtered:closers")  # it would put there what it takes away
    return replace(draft, replace_after=replaced)


def replaced_by(text: bytes, cursor: Cursor) -> int:
    """Return how many bytes of the suffix ``text`` replaces, as :func:`apply`."""
    place = cursor.place
    before = place.state.stack
    if any(frame.one_line for frame in before):
        text = text.split(b"\n", 1)[0]  # a line end drops what it opens, and closes nothing
    end = place.lines.peek(place.head + text)
    if end.recovered:
        return 0  # a statement's first word dropped the brackets
    after = end.stack
    kept = 0
    while kept < min(len(before), len(after)) and before[kept].start == after[kept].start:
        kept += 1
    replaced = 0
    for frame in reversed(before[kept:]):
        if frame.closer.strip(CLOSERS) or not place.rest.startswith(frame.closer, replaced):
            break  # an `end` or the mark behind a raw string is more than a closer
        replaced += len(frame.closer)
    return replaced
