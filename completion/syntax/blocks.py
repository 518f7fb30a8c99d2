"""Where a statement or a block ends in text that is being generated, line by line."""

from __future__ import annotations

from completion.syntax.boundaries import Extent, Place, Reach, extent_of, place_at
from completion.syntax.indented import IndentedTracker
from completion.syntax.languages import Language, rules_of
from completion.syntax.structured import StructuredTracker
from completion.syntax.tracker import Ending, Goal, Tracker

__all__ = ["Ending", "Goal", "Tracker", "block_end", "statement_end", "tracker_at"]


def tracker_at(
    language: Language | None, place: Place, goal: Goal, extent: Extent, tab_size: int = 8
) -> Tracker:
    """Return what follows text from ``place`` on, to complete ``goal`` by ``language``'s rules."""
    rules = rules_of(language)
    kind = StructuredTracker if rules.blocks in ("brace", "end") else IndentedTracker
    return kind(rules, place, goal, extent, tab_size)


def statement_end(language: Language | None, prefix: bytes, middle: bytes) -> int | None:
    """Return where in ``middle`` the statement at the cursor ends, its line end left out.

    A logical line may span lines through brackets, backslashes and triple quotes that ``middle``
    opens. ``None``: it is not complete. Bytes.
    """
    return _end(language, prefix, middle, Goal.STATEMENT)


def block_end(language: Language | None, prefix: bytes, middle: bytes) -> int | None:
    """Return where in ``middle`` the block or bracket at the cursor ends, line end left out.

    ``None``: it goes on, or the cursor is not where a block is to be written. Bytes.
    """
    extent = extent_of(language, place_at(language, prefix, b""), b"")
    if extent.reach is Reach.LINE:
        return None
    return _end(language, prefix, middle, Goal.BRACKET if extent.reason == "bracket" else Goal.BODY)


def _end(language: Language | None, prefix: bytes, middle: bytes, goal: Goal) -> int | None:
    place = place_at(language, prefix, b"")
    tracker = tracker_at(language, place, goal, extent_of(language, place, b""))
    pos, line_end, head = 0, 0, place.head
    while pos < len(middle):
        stop = middle.find(b"\n", pos) + 1 or len(middle)
        line, start = head + middle[pos:stop], pos - len(head)
        whole = line.endswith(b"\n")
        ended = tracker.begins(line.rstrip(b"\r\n"), whole=whole) if line.strip() else None
        if ended is None and whole:
            ended = tracker.ends(line)
        if isinstance(ended, tuple):
            return max(start + ended[1], 0) if ended[1] else line_end
        if not whole:
            return None
        if line.strip():
            line_end = start + len(line.rstrip())
        pos, head = stop, b""
    return None
