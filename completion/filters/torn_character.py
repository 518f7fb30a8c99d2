"""A cursor inside a character: text that does not belong there would tear the character in two."""

from __future__ import annotations

from completion.filters.characters import joins, open_character, whole
from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Decline text that neither ends the character begun before the cursor nor begins one anew."""
    begun = open_character(cursor.prefix)
    if not draft.text or not joins(b"", begun, cursor.suffix):
        return draft
    _, broken = whole(begun + draft.text)
    if broken or not joins(draft.text, begun, cursor.suffix):
        return Declined("filtered:torn_character")
    return draft
