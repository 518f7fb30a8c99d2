"""Follows new text where indentation makes the blocks, and where nothing is known that does."""

from __future__ import annotations

from completion.syntax.boundaries import Extent, Place
from completion.syntax.lexer import columns
from completion.syntax.rules import LexRules
from completion.syntax.tracker import End, Ending, Goal, Tracker, Wait, solid_part


class IndentedTracker(Tracker):
    """Ends a block where a line stands further left than its first one."""

    def __init__(
        self, rules: LexRules, place: Place, goal: Goal, extent: Extent, tab_size: int
    ) -> None:
        """Start at ``place`` to complete ``goal``."""
        super().__init__(rules, place, goal, extent, tab_size)
        self._header = extent.indent
        self._inline_body = goal is Goal.BODY and bool(place.head.strip())
        self._defined = False
        self._floor = -1
        if goal is Goal.SCOPE:
            solid = place.head.strip()
            if place.state.indent >= 0 and rules.indented_blocks:
                self._floor = place.state.indent
            elif place.head:
                blanks = place.head[: len(place.head) - len(place.head.lstrip())]
                self._floor = columns(blanks if solid else place.head, tab_size)

    def begins(self, line: bytes, *, whole: bool) -> End | Wait | None:
        """Look at the line's indentation."""
        if self._goal not in (Goal.BODY, Goal.SCOPE) or self._inline_body:
            return None
        if self._rules.indented_blocks:
            if self.lexer.stack or self.lexer.indent >= 0:
                return None
        elif len(self.lexer.stack) > self._depth:
            return None
        solid = line.lstrip()
        width = columns(line[: len(line) - len(solid)], self._tab)
        if self._floor < 0:
            if self._goal is Goal.BODY and width <= self._header:
                return Ending.LEFT, 0
            if solid[:1] != self._rules.comment:
                self._floor = width
            return None
        if width < self._floor:
            return (Ending.COMPLETE if self._goal is Goal.BODY else Ending.LEFT), 0
        # A second definition on the cursor's own level is another completion.
        return (Ending.COMPLETE, 0) if self._defined and width == self._floor else None

    def ends(self, line: bytes) -> End | None:
        """Read the line; look at what is open behind it."""
        first, self._first = self._first, False
        self.lexer.feed(line)
        lexer, whole = self.lexer, solid_part(line)
        if self._goal is Goal.LINE:
            return Ending.LINE, whole
        if lexer.recovered and self._depth and not first:
            return Ending.LEFT, 0
        if self._goal is Goal.STATEMENT:
            return self._statement(whole)
        if self._goal is Goal.BRACKET:
            return (Ending.COMPLETE, whole) if self._kept(lexer.stack) < self._depth else None
        if self._goal is Goal.BODY:
            if first and self._inline_body:
                self._inline_body = bool(line[len(self._place.head) :].split(b"#")[0].strip())
            done = self._inline_body and lexer.statement_ended
            return (Ending.COMPLETE, whole) if done else None
        if self._in_string() and self._kept(lexer.stack) < self._depth:
            return Ending.COMPLETE, whole
        before = lexer.previous
        if before and before.header and before.indent == self._floor:
            new = before.start >= self._at_cursor.base - len(self._place.head)
            if new and before.word in self._rules.definition_words:
                self._defined = True
        return None

    def _statement(self, whole: int) -> End | None:
        lexer = self.lexer
        joined = lexer.indent >= 0 and not lexer.stack
        if joined or len(lexer.stack) > self._depth:
            return None
        if not lexer.statement_ended:
            return Ending.LINE, whole
        header = lexer.previous
        if header and header.header and header.start >= self._start:
            if self._extent.body_follows:
                return Ending.LINE, whole
            # It opened a block whose body nobody has written: that belongs to it.
            self._goal, self._header = Goal.BODY, header.indent
            return None
        return Ending.COMPLETE, whole

    @property
    def _start(self) -> int:
        """Where the cursor's line begins, in bytes of the text before it."""
        return self._at_cursor.base - len(self._place.head)
