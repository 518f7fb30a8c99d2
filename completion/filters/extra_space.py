"""A space on both sides of an edge is one too many: `x = ` takes `1`, not ` 1`.

Where columns are aligned, before a comment, in strings and in comments blanks mean something.
"""

from __future__ import annotations

import re

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.syntax.languages import rules_of

_LEADING = re.compile(rb"[ \t]+")
_ALIGNED = re.compile(rb"\S[ \t]{2,}\S")


def leading(text: bytes, cursor: Cursor) -> int:
    """Return how many blanks at the start of ``text`` double the one before the cursor."""
    head = cursor.place.head
    if head[-1:] not in (b" ", b"\t") or not head.strip() or not _in_code(cursor):
        return 0
    found = _LEADING.match(text)
    if found is None or text[found.end() : found.end() + 1] in (b"", b"\n"):
        return 0
    if head[-2:].isspace() or _is_aligned(cursor):
        return 0
    comment = rules_of(cursor.language).comment
    if comment and text.startswith(comment, found.end()):
        return 0
    return found.end()


def _in_code(cursor: Cursor) -> bool:
    state = cursor.place.state
    return not (state.in_comment or (state.stack and state.stack[-1].is_text))


def _is_aligned(cursor: Cursor) -> bool:
    """Tell whether a line next to the cursor's has its words in columns, or its own head has."""
    lines = (cursor.place.head, cursor.line_above(), *cursor.next_lines()[:1])
    return any(_ALIGNED.search(line.strip()) for line in lines)


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Take the blanks off the start, and off the end in front of a blank."""
    text = draft.text[leading(draft.text, cursor) :]
    rest = cursor.place.rest[draft.replace_after :]
    if rest[:1] in (b" ", b"\t") and rest.strip() and text.strip():
        text = text.rstrip(b" \t") if b"\n" not in text[len(text.rstrip()) :] else text
    return draft.with_text(text)
