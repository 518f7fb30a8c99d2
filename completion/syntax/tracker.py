"""What is to be completed, and what a follower of new text answers at each of its lines.

The followers themselves stand in :mod:`indented` and :mod:`structured`, one for each way in which
blocks are made.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod

from completion.syntax.boundaries import Extent, Place
from completion.syntax.frames import Frame
from completion.syntax.lexer import Lexer
from completion.syntax.rules import LexRules


class Goal(enum.Enum):
    """What is to be completed."""

    LINE = "line"
    """The physical line."""
    STATEMENT = "statement"
    """The statement, and the block that it opens unless its body is there already."""
    BRACKET = "bracket"
    """The innermost bracket open at the cursor, and the rest of the line it closes on."""
    BODY = "body"
    """The body of the header before the cursor."""
    SCOPE = "scope"
    """Everything in the block that the cursor is in, one definition at most."""


class Ending(enum.Enum):
    """Why it is complete."""

    LINE = "line"
    COMPLETE = "complete"
    LEFT = "left"
    """The line is outside of the block that the cursor is in."""
    MET = "met"
    """What closes the block is behind the cursor already."""


class Wait(enum.Enum):
    """More of a line has to be seen before anything can be said of it."""

    MORE = "more"


End = tuple[Ending, int]
"""Why the middle ends, and how many bytes of the line are still in it."""


class Tracker(ABC):
    """Says at each line whether what was to be completed is complete.

    ``begins`` is asked from a line's first solid byte on, until it does not want to see more, and
    may end the middle in that line; ``ends`` is told each whole line and may end it too. Lines are
    those of the document: the first one starts with what is before the cursor.
    """

    def __init__(
        self, rules: LexRules, place: Place, goal: Goal, extent: Extent, tab_size: int
    ) -> None:
        """Start at ``place`` to complete ``goal``."""
        self._rules = rules
        self._tab = tab_size
        self._goal = goal
        self._extent = extent
        self._place = place
        self._at_cursor = place.state
        self._opened = starts(place.state.stack)
        self._first = True
        self.lexer: Lexer = place.lines.copy()
        """The state at the start of the line being generated."""

    @abstractmethod
    def begins(self, line: bytes, *, whole: bool) -> End | Wait | None:
        """Take what there is of a line; ``whole``: nothing more comes of it."""

    @abstractmethod
    def ends(self, line: bytes) -> End | None:
        """Take a whole line with its line end."""

    def same_place(self, state: Lexer) -> bool:
        """Tell whether exactly what is open at the cursor is open in ``state``."""
        same = starts(state.stack) == self._opened
        return same and state.in_comment == self._at_cursor.in_comment

    def _kept(self, stack: tuple[Frame, ...]) -> int:
        """Return how many of the frames open at the cursor are still open."""
        pairs = zip(starts(stack), self._opened, strict=False)
        return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(stack), self._depth))

    @property
    def _depth(self) -> int:
        return len(self._opened)

    def _in_string(self) -> bool:
        return bool(self._at_cursor.stack) and self._at_cursor.stack[-1].is_text


def solid_part(line: bytes) -> int:
    """Return the length of ``line`` without its line end and the blanks before that."""
    return len(line.rstrip())


def starts(stack: tuple[Frame, ...]) -> tuple[int, ...]:
    """Return where the frames of ``stack`` begin, which tells them from all others."""
    return tuple(frame.start for frame in stack)
