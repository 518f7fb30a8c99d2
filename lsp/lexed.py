"""What the lexer knows at the starts of a document's lines, kept while the document is edited.

A lexer's state is kept at every :data:`STEP`-th line. An edit makes nothing be read: it marks its
line. Who asks for a place later has read what lies between a state that is still true and there; a
state that comes out as it was before the edit says that the edit's effect has died out, and all
behind it is true as it stands. So typing costs the line it happens in, and at most a step beyond.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from completion.syntax.alike import alike
from completion.syntax.languages import Language
from completion.syntax.lexer import Lexer
from completion.syntax.scopes import CODE, scope_behind
from lsp.documents import Splice
from lsp.positions import wire_bytes

STEP = 64
"""Lines from one kept state to the next."""

MAX_LINE = 1 << 16
"""In a line longer than this before the cursor, in characters, the scope is not found out."""


class LexedLines:
    """States at line starts. Tell it of each splice; ask it with the lines as they are then."""

    __slots__ = ("_dirty", "_lines", "_not_code", "_states", "_step", "lines_read")

    def __init__(
        self, language: Language, *, not_code: re.Pattern[str] | None = None, step: int = STEP
    ) -> None:
        """Begin with nothing read; a state is kept every ``step`` lines.

        Lines that ``not_code`` matches at their start are passed over (a notebook's magics), where
        no statement and no bracket goes on from the line above.
        """
        self._not_code = not_code
        self._step = step
        self._lines: list[int] = [0]
        """Lines, in order, at whose start a state is kept."""
        self._states: list[Lexer] = [Lexer(language.rules)]
        self._dirty: list[int] = []
        """Lines, in order, behind whose start something has changed: a state at a line is true if
        none of these is before it."""
        self.lines_read = 0
        """For tests that hold the promise of the first lines above true."""

    def spliced(self, splice: Splice) -> None:
        """Take notice of a change of the lines."""
        first, end = splice.first, splice.first + splice.removed
        shift = splice.added - splice.removed
        low, high = bisect_right(self._lines, first), bisect_left(self._lines, end)
        del self._lines[low:high], self._states[low:high]
        if shift:
            self._lines[low:] = [line + shift for line in self._lines[low:]]
        kept = [line for line in self._dirty if line < first]
        later = [line + shift for line in self._dirty if line >= end]
        self._dirty = [*kept, first, *later]

    def scope(self, lines: Sequence[str], line: int, column: int) -> str:
        """Return what (line, column) stands in, as ``scope_at``; nothing: the line is too long."""
        start = line
        while start and not lines[start - 1].endswith("\n"):
            start -= 1
        head = "".join(lines[start:line]) + lines[line][:column]
        if len(head) > MAX_LINE:
            return ""
        state = self._at(lines, start)
        if self._is_no_code(state, head):
            return CODE
        return scope_behind(
            state, wire_bytes(head), wire_bytes(lines[line][column : column + 1])[:1]
        )

    def read_on(self, lines: Sequence[str]) -> bool:
        """Read one step more of what is not read yet; tell whether there is still more."""
        known = self._true_until()
        line = _whole(lines, self._lines[known] + self._step, len(lines))
        if line == len(lines):
            return False
        self._at(lines, line)
        return True

    def _true_until(self) -> int:
        """Return the index of the last state before the first change that is not read over."""
        if not self._dirty:
            return len(self._lines) - 1
        return bisect_right(self._lines, self._dirty[0]) - 1

    def _at(self, lines: Sequence[str], line: int) -> Lexer:
        """Return the state at the start of ``line``, reading as little as that takes."""
        index = bisect_right(self._lines, line) - 1
        index = min(index, self._true_until())
        state = self._states[index]
        at = self._lines[index]
        while at < line:
            following = self._lines[index + 1] if index + 1 < len(self._lines) else -1
            stop = min(line, at + self._step)
            if following > 0:
                stop = min(stop, following)
            stop = _whole(lines, stop, line)
            state = self._read(state, lines, at, stop)
            at = stop
            if at == following:
                index += 1
                if self._settle(index, state):
                    index = min(bisect_right(self._lines, line) - 1, self._true_until())
                    state, at = self._states[index], self._lines[index]
            elif at - self._lines[index] >= self._step:
                index += 1
                self._lines.insert(index, at)
                self._states.insert(index, state)
                self._carry(at)
        return state

    def _settle(self, index: int, state: Lexer) -> bool:
        """Put ``state`` at a line that had one; tell whether it is the one that it had."""
        line = self._lines[index]
        before = bisect_left(self._dirty, line)
        if before and alike(self._states[index], state):
            del self._dirty[:before]
            return True
        self._states[index] = state
        self._carry(line)
        return not before

    def _carry(self, line: int) -> None:
        """The changes before ``line`` are read over; their effect goes on from there."""
        before = bisect_left(self._dirty, line)
        if before:
            last = line == self._lines[-1]
            self._dirty[:before] = [] if last else [line]
            if len(self._dirty) > 1 and self._dirty[0] == self._dirty[1]:
                del self._dirty[0]

    def _read(self, state: Lexer, lines: Sequence[str], start: int, stop: int) -> Lexer:
        """Return the state behind ``lines[start:stop]``, whole lines."""
        self.lines_read += stop - start
        state = state.copy()
        if self._not_code is None:
            state.feed(wire_bytes("".join(lines[start:stop])))
            return state
        line = ""
        for piece in lines[start:stop]:
            line += piece
            if line.endswith("\n"):
                state.feed(b"\n" if self._is_no_code(state, line) else wire_bytes(line))
                line = ""
        return state

    def _is_no_code(self, state: Lexer, line: str) -> bool:
        if self._not_code is None or not state.statement_ended:
            return False
        return self._not_code.match(line) is not None


def _whole(lines: Sequence[str], line: int, end: int) -> int:
    """Return the first line from ``line`` on, or ``end``, at whose start the lexer has a line's start.

    A ``\\r`` alone ends a line of an editor's, and none of the lexer's.
    """
    while line < end and not lines[line - 1].endswith("\n"):
        line += 1
    return min(line, end)
