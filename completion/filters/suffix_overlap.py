"""What is already behind the cursor is not inserted again: on its line, and in the next lines."""

from __future__ import annotations

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.filters.same_line import cursor_test, overlap
from completion.filters.suffix_lines import SuffixWatch
from completion.syntax.blocks import Goal, Tracker
from completion.syntax.lexer import Lexer


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Trim whole lines that repeat the next lines, then the end that repeats the line's rest.

    Character exact; brackets decide which of two equal closers is meant.
    """
    text = _without_next_lines(draft.text, cursor)
    rest = cursor.place.rest[draft.replace_after :]
    if rest.strip():
        text = _without_rest(text, rest, draft.replace_after, cursor)
    return Draft(text=text, replace_after=draft.replace_after)


def _tracker(cursor: Cursor) -> Tracker:
    return Tracker(cursor.language, cursor.place, Goal.SCOPE, cursor.extent, cursor.tabs)


def _without_next_lines(text: bytes, cursor: Cursor) -> bytes:
    tracker = _tracker(cursor)
    watch, pos, head = SuffixWatch(cursor, tracker), 0, cursor.place.head
    for line in text.split(b"\n"):
        cut = watch.push(head + line, pos, first=pos == 0)
        if cut is not None:
            return text[:cut].rstrip(b"\n")
        tracker.ends(head + line + b"\n")
        pos, head = pos + len(line) + 1, b""
    return text if watch.doubtful is None else text[: watch.doubtful].rstrip(b"\n")


def _without_rest(text: bytes, rest: bytes, replaced: int, cursor: Cursor) -> bytes:
    tracker = _tracker(cursor)
    start = text.rfind(b"\n") + 1
    head = b"" if start else cursor.place.head
    tracker.lexer.feed(cursor.place.head + text[:start] if start else b"")
    # The closers that are replaced are closed by the text: what is open then is what counts.
    behind = cursor.place.lines.peek(cursor.place.head + cursor.place.rest[:replaced])
    opened = [frame.start for frame in behind.stack]

    def same(state: Lexer) -> bool:
        return [frame.start for frame in state.stack] == opened and (
            state.in_comment == behind.in_comment
        )

    size = overlap(text[start:], rest, cursor_test(same, tracker.lexer, head))
    return text[: len(text) - size]
