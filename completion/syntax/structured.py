"""Follows new text where braces or words make the blocks.

A block ends with its closer, which is in the middle only where the text behind the cursor does not
have it.
"""

from __future__ import annotations

import re

from completion.syntax.frames import Frame
from completion.syntax.lexer import Lexer, columns
from completion.syntax.statement_tracker import CONTROL, StatementTracker
from completion.syntax.tracker import End, Ending, Goal, Wait, solid_part

_WORD = re.compile(rb"[\w\x80-\xff]+")
_CLOSERS = re.compile(rb"[)\]}]+")
_LABEL = re.compile(rb"[\w\x80-\xff]+[ \t]*:(?!:)")
_TAIL = re.compile(rb"[ \t]*[;,]?(?:[ \t]*(?://|#)[^\n]*)?[ \t]*\r*\n?")
"""What may stand behind a block's last closer: the statement's own end, and a comment."""
_WITH_RESCUE = frozenset(b"def begin do class module".split())
"""Openers of blocks in which ``rescue`` and ``ensure`` are part of what is written."""


class StructuredTracker(StatementTracker):
    """Ends a block with its closer, a statement by the rules of its language."""

    def begins(self, line: bytes, *, whole: bool) -> End | Wait | None:
        """Look at the line's first word, and at closers at its start."""
        if self._goal is Goal.LINE or (self.lexer.top is not None and self.lexer.top.is_text):
            return None
        solid = line.lstrip()
        word = _WORD.match(solid)
        if word and word.end() == len(solid) and not whole:
            return Wait.MORE
        name = word.group() if word else b""
        if self._pending and self._goal is Goal.STATEMENT:
            goes_on = self._goes_on(line, solid, name, whole=whole)
            if goes_on is Wait.MORE:
                return goes_on
            if not goes_on:
                return Ending.COMPLETE, 0
            self._pending = False
            return None
        closers = _CLOSERS.match(solid)
        if closers or name in self._rules.end_words:
            run = closers.end() if closers else len(name)
            return self._closes(line, len(line) - len(solid) + run, whole=whole)
        if name in self._rules.middle_words and self._rules.blocks == "end":
            return self._middle()
        if self._goal is Goal.STATEMENT and self.lexer.depth == self._home:
            return self._stands_alone(line, solid, name)
        return None

    def _closes(self, line: bytes, size: int, *, whole: bool) -> End | Wait | None:
        """Look at the ``size`` bytes of closers that a line begins with."""
        if self._kept(self.lexer.peek(line[:size]).stack) < self._guard:
            return self._fallen(line, whole=whole)
        return Wait.MORE if size == len(line) and not whole else None

    def _middle(self) -> End | None:
        """A line goes on with the compound statement around the cursor: its body is complete."""
        behind, guard = self._place.behind, self._guard
        if self._kept(self.lexer.stack) != guard or self.lexer.depth != guard or not guard:
            return None
        if self._goal is Goal.BODY or self._goal is Goal.SCOPE or not self._filled:
            if behind.next_is_middle:
                return Ending.MET, 0
            if self._at_cursor.stack[guard - 1].text in _WITH_RESCUE:
                return None
            return (Ending.COMPLETE, 0) if behind.closed[guard - 1] else None
        return Ending.COMPLETE, 0

    def ends(self, line: bytes) -> End | None:
        """Read the line; look at what is open behind it."""
        first, self._first = self._first, False
        before = self.lexer.copy()
        self.lexer.feed(line)
        lexer, whole = self.lexer, solid_part(line)
        new = line[len(self._place.head) :] if first else line
        self._filled = self._filled or bool(new.strip())
        if self._goal is Goal.LINE:
            return Ending.LINE, whole
        kept = self._kept(lexer.stack)
        if self._in_string():
            return (Ending.COMPLETE, whole) if kept < self._depth else None
        if kept < self._guard:
            if lexer.recovered:
                return (Ending.LINE, whole) if first else (Ending.LEFT, 0)
            self.lexer = before
            found = self._fallen(line, whole=True)
            self.lexer = lexer
            return found if isinstance(found, tuple) else (Ending.LEFT, 0)
        if self._goal is Goal.BRACKET or not self._filled:
            return None
        if self._goal is not Goal.STATEMENT and self._left(line, before):
            return Ending.LEFT, 0
        if self._goal is Goal.STATEMENT:
            return self._statement(line, whole, first=first)
        if self._goal is Goal.SCOPE and self._defined():
            return Ending.COMPLETE, whole
        return None

    def _left(self, line: bytes, before: Lexer) -> bool:
        """Tell whether a line stands outside of the cursor's block, whose closer is missing."""
        if before.depth != self._home or not self._home or self._kept(before.stack) < self._home:
            return False
        block = self._at_cursor.stack[self._home - 1]
        solid = line.strip()
        word = _WORD.match(solid)
        if not word or word.group() in self._rules.middle_words or _LABEL.match(solid):
            return False
        if word.group() not in self._rules.definition_words:
            return False
        width = columns(line[: len(line) - len(line.lstrip())], self._tab)
        return width <= block.indent and before.indent < 0 and not self._first

    def _defined(self) -> bool:
        """Tell whether a definition has ended with this line on the cursor's own level."""
        lexer = self.lexer
        done = lexer.previous
        if done is None or lexer.depth != self._home or lexer.indent >= 0:
            return False
        if done.start < self._at_cursor.base - len(self._place.head):
            return False
        if lexer.tail[-1:] == b"}":
            return self._rules.blocks == "end" or done.word not in CONTROL
        if lexer.tail == b"};":
            return done.word in self._rules.definition_words
        return lexer.last_word == b"end" and done.word in self._rules.definition_words

    def _fallen(self, line: bytes, *, whole: bool) -> End | Wait:
        """End in a line that closes what the middle is inside of.

        The closer belongs to the middle where it is missing behind the cursor.
        """
        start, end = self._fall(line)
        if self._place.behind.closed[self._guard - 1] or self._unasked():
            met = self._is_there(line[start:end])
            ending = Ending.LEFT if self._goal is Goal.SCOPE else Ending.COMPLETE
            # Where the closer is on the cursor's line, what stands before it here does there too.
            at = start if self._place.rest.strip() else solid_part(line[:start])
            return (Ending.MET if met else ending), at
        frames = self._at_cursor.stack[: self._guard - 1]
        end = self._outer(line, end, frames)
        tail = _TAIL.match(line, end)
        end = tail.end() if tail else end
        if end == len(line) and not whole:
            return Wait.MORE
        return Ending.COMPLETE, solid_part(line[:end])

    def _unasked(self) -> bool:
        """A statement was asked for and is there: the block around it is not."""
        return self._goal is Goal.STATEMENT and self._filled

    def _outer(self, line: bytes, end: int, frames: tuple[Frame, ...]) -> int:
        """Return where ``line`` goes on behind closers that follow and are missing too."""
        closed = self._place.behind.closed
        for index in range(len(frames) - 1, -1, -1):
            blanks = len(line[end:]) - len(line[end:].lstrip(b" \t"))
            closer = frames[index].closer
            if closed[index] or frames[index].block or not line.startswith(closer, end + blanks):
                break
            end += blanks + len(closer)
        return end

    def _is_there(self, closer: bytes) -> bool:
        rest = self._place.rest.strip()
        return (rest or self._place.behind.next).startswith(closer)

    def _fall(self, line: bytes) -> tuple[int, int]:
        """Return where the closer stands in ``line`` that closes the guarded frame."""
        ahead = self.lexer.copy()
        base = ahead.base
        pieces = [p for p in ahead.pieces(line) if p[2] in ("close", "word", "operator", "string")]
        low, high = 0, len(pieces) - 1
        while low < high:
            middle = (low + high) // 2
            state = self.lexer.peek(line[: pieces[middle][1] - base])
            if self._kept(state.stack) < self._guard:
                high = middle
            else:
                low = middle + 1
        if not pieces:
            return 0, 0
        return pieces[low][0] - base, pieces[low][1] - base
