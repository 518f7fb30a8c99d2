"""Where a statement or a block ends in text that is being generated, line by line.

A :class:`Tracker` starts from the lexer's state at the cursor and reads each new line once.
"""

from __future__ import annotations

import enum

from completion.syntax.boundaries import Extent, Place, Reach, extent_of, place_at
from completion.syntax.frames import Frame
from completion.syntax.languages import Language, rules_of
from completion.syntax.lexer import Lexer, columns


class Goal(enum.Enum):
    """What is to be completed."""

    LINE = "line"
    """The physical line."""
    STATEMENT = "statement"
    """The line, and what follows in brackets or strings that the new text itself opens."""
    BRACKET = "bracket"
    """The innermost bracket open at the cursor, and the rest of the line it closes on."""
    BODY = "body"
    """The body of the header before the cursor."""
    SCOPE = "scope"
    """Everything at the indentation of the cursor's statement or deeper."""


class Ending(enum.Enum):
    """Why it is complete."""

    LINE = "line"
    COMPLETE = "complete"
    LEFT = "left"
    """The line is outside of the block that the cursor is in."""


class Tracker:
    """Says at each line whether what was to be completed is complete.

    ``begins`` is asked once the first solid byte of a line is known and may end the middle before
    that line; ``ends`` is told each whole line and may end it before or behind the line.
    Lines are those of the document: the first one starts with what is before the cursor.
    """

    def __init__(
        self, language: Language | None, place: Place, goal: Goal, extent: Extent, tab_size: int = 8
    ) -> None:
        """Start at ``place``, read by ``language``'s rules, to complete ``goal``."""
        self._rules = rules_of(language)
        self._tab = tab_size
        self._goal = goal
        self._header = extent.indent
        self._at_cursor = place.state
        self.lexer = place.lines.copy()
        """The state at the start of the line being generated."""
        self._inline_body = goal is Goal.BODY and bool(place.head.strip())
        self._first = True
        self._head = place.head
        self._defined = False
        self._floor = -1
        if goal is Goal.SCOPE:
            solid = place.head.strip()
            if place.state.indent >= 0 and self._rules.indented_blocks:
                self._floor = place.state.indent
            elif place.head:
                blanks = place.head[: len(place.head) - len(place.head.lstrip())]
                self._floor = columns(blanks if solid else place.head, tab_size)

    def same_place(self, state: Lexer) -> bool:
        """Tell whether exactly what is open at the cursor is open in ``state``."""
        return (
            _starts(state.stack) == _starts(self._at_cursor.stack)
            and state.in_comment == self._at_cursor.in_comment
        )

    def _kept(self, stack: tuple[Frame, ...]) -> int:
        """Return how many of the frames open at the cursor are still open."""
        pairs = zip(_starts(stack), _starts(self._at_cursor.stack), strict=False)
        return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(stack), self._depth))

    @property
    def _depth(self) -> int:
        return len(self._at_cursor.stack)

    def begins(self, blanks: bytes, first: bytes) -> Ending | None:
        """Take a line's leading blanks and first solid byte; say whether the middle ends before."""
        if self._goal not in (Goal.BODY, Goal.SCOPE) or self._inline_body:
            return None
        if self._rules.indented_blocks:
            if self.lexer.stack or self.lexer.indent >= 0:
                return None
        elif len(self.lexer.stack) > self._depth:
            return None
        width = columns(blanks, self._tab)
        if self._floor < 0:
            if self._goal is Goal.BODY and width <= self._header:
                return Ending.LEFT
            if first != self._rules.comment:
                self._floor = width
            return None
        if width < self._floor:
            return Ending.COMPLETE if self._goal is Goal.BODY else Ending.LEFT
        # A second definition on the cursor's own level is another completion.
        return Ending.COMPLETE if self._defined and width == self._floor else None

    def ends(self, line: bytes) -> tuple[Ending, bool] | None:
        """Take a whole line; return why the middle ends and whether the line is still in it."""
        first, self._first = self._first, False
        self.lexer.feed(line)
        lexer = self.lexer
        if self._goal is Goal.LINE:
            return Ending.LINE, True
        if lexer.recovered and self._depth and not first:
            return Ending.LEFT, False
        if self._goal is Goal.STATEMENT:
            joined = lexer.indent >= 0 and not lexer.stack
            if joined or len(lexer.stack) > self._depth:
                return None
            return (Ending.COMPLETE if lexer.statement_ended else Ending.LINE), True
        if self._goal is Goal.BRACKET:
            return (Ending.COMPLETE, True) if self._kept(lexer.stack) < self._depth else None
        if self._goal is Goal.BODY:
            if first and self._inline_body:
                self._inline_body = bool(line[len(self._head) :].split(b"#")[0].strip())
            return (Ending.COMPLETE, True) if self._inline_body and lexer.statement_ended else None
        if self._in_string() and self._kept(lexer.stack) < self._depth:
            return Ending.COMPLETE, True
        before = lexer.previous
        if before and before.header and before.indent == self._floor:
            new = before.start >= self._at_cursor.base - len(self._head)
            if new and before.word in self._rules.definition_words:
                self._defined = True
        return None

    def _in_string(self) -> bool:
        return bool(self._at_cursor.stack) and self._at_cursor.stack[-1].is_text


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
    tracker = Tracker(language, place, goal, extent_of(language, place, b""))
    pos, line_end, head = 0, 0, place.head
    while pos < len(middle):
        stop = middle.find(b"\n", pos) + 1 or len(middle)
        line = head + middle[pos:stop]
        solid = line.lstrip()
        if solid and tracker.begins(line[: len(line) - len(solid)], solid[:1]):
            return line_end
        if not line.endswith(b"\n"):
            return None
        ended = tracker.ends(line)
        if ended:
            return stop - len(line) + len(line.rstrip(b"\r\n")) if ended[1] else line_end
        if solid:
            line_end = stop - (len(line) - len(line.rstrip()))
        pos, head = stop, b""
    return None


def _starts(stack: tuple[Frame, ...]) -> tuple[int, ...]:
    return tuple(frame.start for frame in stack)
