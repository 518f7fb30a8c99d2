"""Ends a statement by the rules of its language, where braces or words make the blocks.

Where the next line decides, that line's beginning is waited for.
"""

from __future__ import annotations

import re

from completion.syntax.boundaries import Extent, Place, heads
from completion.syntax.lexer import Lexer, columns
from completion.syntax.rules import LexRules
from completion.syntax.tracker import End, Ending, Goal, Tracker, Wait

CONTROL = frozenset(
    b"if else elif elseif for foreach while until do switch case default try catch finally loop "
    b"match when with using lock synchronized defer go select guard repeat unless unsafe begin "
    b"checked unchecked fixed return throw let const var".split()
)
"""First words of statements with a block that define nothing."""
_BLOCK_WORDS = CONTROL - {b"let", b"var", b"return", b"throw"}
"""Those whose block ends them: nothing can be called on it."""
_CONDITIONS = frozenset(b"if for foreach while switch with using lock catch elseif".split())
"""Words behind which brackets and then a statement follow."""
_UNFINISHED = frozenset((b"try", b"do", b"catch"))
"""First words of statements whose block is not their end, or need not be."""
_LOOPS = frozenset((b"for", b"while", b"until", b"select"))
_ANNOTATION = re.compile(
    rb"(?:@[\w.]+(?:\([^\n]*\))?|#!?\[[^\n]*\]|\[[^\n]*\])(?:\s+(?:@|#|\[)[^\n]*)*"
)
"""What stands before a declaration and is no statement itself."""
_LONGEST_LEAD = 3
"""Bytes of an operator at a line's start that have to be seen to know it."""


class StatementTracker(Tracker):
    """The part of a follower that knows when a statement has ended."""

    def __init__(
        self, rules: LexRules, place: Place, goal: Goal, extent: Extent, tab_size: int
    ) -> None:
        """Start at ``place`` to complete ``goal``."""
        super().__init__(rules, place, goal, extent, tab_size)
        stack = place.state.stack
        home = len(stack)
        self._header = False
        """The cursor is in the header of a block that its first word has opened."""
        if not self._in_string():
            while home and not stack[home - 1].block:
                home -= 1
            self._header = bool(home) and heads(place.state, stack[home - 1])
            if self._header and goal in (Goal.STATEMENT, Goal.SCOPE):
                home -= 1
        self._home = home
        """Frames that are open where the cursor's statement begins."""
        inside = goal in (Goal.BODY, Goal.BRACKET)
        self._guard = len(stack) if inside else home
        """With fewer frames than these the middle is left."""
        self._pending = False
        """Whether the statement has ended is seen at the next line."""
        self._brace_alone = False
        self._written = bytearray(place.head)
        self._filled = False
        """There is more than blanks in the middle."""

    def _goes_on(self, line: bytes, solid: bytes, name: bytes, *, whole: bool) -> bool | Wait:
        """Tell whether a statement that may have ended goes on with this line."""
        before = self.lexer.previous
        if self._rules.blocks == "end" and before and before.word in _LOOPS and name == b"do":
            return True
        if before and before.word in (_UNFINISHED | {b"if"}) and name:
            return name in self._rules.middle_words or (before.word == b"do" and name == b"while")
        if not name and len(solid) < _LONGEST_LEAD and not whole:
            return Wait.MORE
        width = columns(line[: len(line) - len(solid)], self._tab)
        if before and self._wants_statement(before.word, self.lexer) and self._filled:
            return solid[:1] == b"{" or width > before.indent
        leads = self._rules.leads
        return bool(leads) and re.match(leads, solid) is not None and solid[:2] != b"//"

    def _wants_statement(self, word: bytes, state: Lexer) -> bool:
        """Tell whether what was written of a statement is a header without its statement."""
        if self._rules.blocks != "brace":
            return False
        tail = state.tail[-1:]
        return (word in _CONDITIONS and tail == b")") or state.last_word in (b"else", b"do", b"try")

    def _stands_alone(self, line: bytes, solid: bytes, name: bytes) -> End | None:
        """End a statement before a line that cannot be the rest of it."""
        if not self._filled or self.lexer.indent < 0 or not name:
            return None
        width = columns(line[: len(line) - len(solid)], self._tab)
        head = bytes(self._written)
        open_head = b"(" not in head and b"=" not in head  # a type on a line of its own
        after_type = head.rstrip()[-1:] in (b">", b",", b"(", b"=", b":", b"&", b"|", b"\\")
        annotated = _ANNOTATION.fullmatch(head.strip()) is not None
        if width > self.lexer.indent or open_head or after_type or annotated:
            return None
        if name in self._rules.middle_words or self._wants_statement(self.lexer.word, self.lexer):
            return None
        return Ending.COMPLETE, 0

    def _statement(self, line: bytes, whole: int, *, first: bool) -> End | None:
        lexer = self.lexer
        self._written += line if not first else line[len(self._place.head) :]
        top = lexer.top
        if lexer.depth > self._home:
            if lexer.depth <= self._depth and self._kept(lexer.stack) > self._home:
                own = self._header and top is not None and top.block
                return None if own else (Ending.LINE, whole)
            if top is not None and top.block:
                self._brace_alone = line.strip() == b"{"
                if self._extent.body_follows and not (top.is_text or lexer.indent >= 0):
                    return Ending.LINE, whole
            return None
        if not line.strip():
            return None
        if lexer.indent < 0:
            return self._ended(whole)
        listed = self._place.behind.listed and lexer.tail[-1:] == b","
        return (Ending.COMPLETE, whole) if listed else None

    def _ended(self, whole: int) -> End | None:
        """The statement has ended unless the next line goes on with it."""
        lexer = self.lexer
        word = lexer.previous.word if lexer.previous else b""
        closed = lexer.tail[-1:] == b"}"
        if closed and (word in _UNFINISHED or (self._brace_alone and word == b"if")):
            self._pending = True
        elif self._rules.ends != "semicolon" and lexer.tail[-1:] != b";":
            leads = bool(self._rules.leads) and not (closed and word in _BLOCK_WORDS)
            loop = self._rules.blocks == "end" and word in _LOOPS
            self._pending = leads or loop or self._wants_statement(word, lexer)
        return None if self._pending else (Ending.COMPLETE, whole)
