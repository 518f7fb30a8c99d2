"""A suggestion of one or two characters costs more to read than to type."""

from __future__ import annotations

import re

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.syntax.languages import rules_of

REASON = "too_short"
_BEGUN = re.compile(rb"[\w\x80-\xff]+\Z")
_ENDED = re.compile(rb"[\w\x80-\xff]*")


def is_too_short(text: bytes, cursor: Cursor) -> bool:
    """Tell whether ``text`` has fewer than ``cursor.least`` characters, blanks not counted.

    The end of a word that is begun is worth it where the document or the language has that word.
    """
    if not cursor.least:
        return False
    solid = b"".join(text[: 8 * cursor.least + 64].split())
    if len(solid.decode("utf-8", "ignore")) >= cursor.least or len(text) > 8 * cursor.least + 64:
        return False
    begun, ends = _BEGUN.search(cursor.before), _ENDED.match(text)
    if begun is None or ends is None or not ends[0] or cursor.inside_word:
        return True
    word = begun[0] + ends[0]
    return not (word in rules_of(cursor.language).keywords or cursor.knows(word))


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Decline what is too short; nothing is where it was asked for (``cursor.least`` is 0).

    Nor is what fills a gap: that the model went on with the text behind it speaks for it.
    """
    if draft.text.strip() and not draft.met_suffix and is_too_short(draft.text, cursor):
        return Declined(REASON)
    return draft
