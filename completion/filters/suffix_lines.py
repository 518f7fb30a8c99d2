"""Finds generated lines that repeat the lines after the cursor, indentation and all."""

from __future__ import annotations

import re

from completion.filters.cursor import Cursor
from completion.syntax.blocks import Tracker
from completion.syntax.boundaries import Place
from completion.syntax.languages import rules_of

_STRUCTURE = frozenset(
    b"else: try: finally: pass return break continue return; return None end begin else { do "
    b"default: raise yield continue; break; endif fi done".split()
) | {b"return None", b"else {", b"} else {"}
_CLOSER = re.compile(rb"[)\]}]")
_WORD = re.compile(rb"[\w\x80-\xff]+")


def is_trivial(line: bytes) -> bool:
    """Tell whether ``line`` is too common to prove anything alone: ``)``, ``else:``, ``pass``."""
    solid = line.strip()
    return solid in _STRUCTURE or sum(byte > 127 or chr(byte).isalnum() for byte in solid) < 4


class SuffixWatch:
    """Told each line once; says where the text met the suffix, and what is still in doubt.

    A telling line counts at once, a trivial one when the next line matches too or the text ends
    there. A line of closing brackets, or that a block's last word begins, counts when it closes
    what was open at the cursor, and never otherwise. Trailing blanks make no difference; everything
    else must be the same.
    """

    def __init__(self, cursor: Cursor, tracker: Tracker) -> None:
        """Compare with the lines after ``cursor``; ``tracker`` reads the same lines."""
        self._after = cursor.next_lines() if cursor.at_line_end else ()
        self._place: Place = cursor.place
        self._tracker = tracker
        self._end_words = rules_of(cursor.language).end_words
        self._next = 0
        self.doubtful: int | None = None
        """Byte from which the lines repeat the suffix, should the text end here."""

    def push(self, line: bytes, start: int, *, first: bool) -> int | None:
        """Take the next line of the document, of which the middle's part starts at ``start``.

        To be called before the tracker has read the line. Returns where to cut, or ``None``.
        """
        line = line.rstrip()
        if not self._after or not line:
            return None
        if first and self._place.head.strip():
            return None  # only a part of this line is new
        word = _WORD.match(line.lstrip())
        ends = word is not None and word.group() in self._end_words
        closes = _CLOSER.match(line.lstrip()) or ends
        stack = self._place.state.stack
        own = closes and bool(stack) and not stack[-1].is_text
        if own and line == self._after[0] and self._tracker.same_place(self._tracker.lexer):
            return start if self.doubtful is None else self.doubtful
        goes_on = self.doubtful is not None and self._next < len(self._after)
        if goes_on and line == self._after[self._next]:
            return self.doubtful
        if line == self._after[0] and not (closes and is_trivial(line)):
            if not is_trivial(line):
                return start if self.doubtful is None else self.doubtful
            # Copies of one trivial line in a row are in doubt together.
            self.doubtful = start if self.doubtful is None else self.doubtful
            self._next = 1
            return None
        self.doubtful, self._next = None, 0
        return None
