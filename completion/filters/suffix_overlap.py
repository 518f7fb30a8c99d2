"""What is already behind the cursor is not inserted again: on its line, and in the next lines."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.filters.same_line import meeting_test, overlap
from completion.filters.suffix_lines import SuffixWatch
from completion.filters.trailing_blanks import trim
from completion.syntax.blocks import Goal, Tracker, tracker_at


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Trim whole lines that repeat the next lines, then the end that repeats the line's rest.

    Byte exact, as what is behind the cursor may begin inside a word or a character; brackets decide
    which of two equal closers is meant.
    """
    return _trimmed(draft.with_text(_without_next_lines(draft.text, cursor)), cursor)


def apply_behind_closers(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Trim the end once more where closers are replaced: other text follows the cursor then."""
    if not draft.replace_after:
        return draft  # a middle may end as the text behind it begins: what is trimmed is enough
    return _trimmed(draft, cursor)


def _trimmed(draft: Draft, cursor: Cursor) -> Draft:
    rest = cursor.place.rest[draft.replace_after :]
    if not rest.strip():
        return draft
    return draft.with_text(_without_rest(draft.text, rest, draft.replace_after, cursor))


def _tracker(cursor: Cursor) -> Tracker:
    return tracker_at(cursor.language, cursor.place, Goal.SCOPE, cursor.extent, cursor.tabs)


def _without_next_lines(text: bytes, cursor: Cursor) -> bytes:
    tracker = _tracker(cursor)
    watch, pos, head = SuffixWatch(cursor, tracker), 0, cursor.place.head
    for line in text.split(b"\n"):
        cut = watch.push(head + line, pos, first=pos == 0)
        if cut is not None:
            return trim(text[:cut], cursor)
        tracker.ends(head + line + b"\n")
        pos, head = pos + len(line) + 1, b""
    return text if watch.doubtful is None else trim(text[: watch.doubtful], cursor)


def _without_rest(text: bytes, rest: bytes, replaced: int, cursor: Cursor) -> bytes:
    tracker = _tracker(cursor)
    start = text.rfind(b"\n") + 1
    head = b"" if start else cursor.place.head
    tracker.lexer.feed(cursor.place.head + text[:start] if start else b"")
    at = meeting_test(cursor.place, tracker.lexer, head, replaced)
    size = overlap(text[start:], rest, at, head=head, known=cursor.knows)
    return text[: len(text) - size]
