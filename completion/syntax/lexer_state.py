"""What the lexer remembers between bytes: what is open, the statement, the last token.

The parts of the lexer (text, markup, statements) stand on this one and share its fields.
"""

from __future__ import annotations

import re
from typing import Literal, Self

from completion.syntax.frames import Frame, FrameKind, Statement
from completion.syntax.patterns import BRACKETS
from completion.syntax.reading import PAIRS, reading_of, tail_of
from completion.syntax.rules import LexRules
from completion.syntax.stack import Open, StatementState

Kind = Literal[
    "eol",
    "comment",
    "join",
    "quote",
    "string",
    "number",
    "word",
    "open",
    "close",
    "operator",
    "statement",
    "text",
]
"""What a piece of text is; ``quote`` opens a string (with its prefix) and ``string`` is the rest of
it; ``statement`` is empty and marks where a statement (of Python: a logical line) begins; ``text``
stands between tags."""
Piece = tuple[int, int, Kind]
"""Byte offsets from the start of everything fed, and the kind."""


def columns(blanks: bytes, tab_size: int = 8) -> int:
    """Return the width of leading blanks in columns, tabs expanded to multiples of ``tab_size``."""
    return len(blanks.expandtabs(tab_size)) if b"\t" in blanks else len(blanks)


_SIGNS = re.compile(rb"[^\w\s\x80-\xff]++\Z")


class LexerState:
    """The fields, and how frames are opened and closed."""

    __slots__ = (
        "_after_block", "_branches", "_condition", "_directive", "_end", "_heredocs",
        "_only_string", "_pieces", "_prev", "_reading", "_rules", "_second", "_shown", "_start",
        "_tab", "_tail", "_top", "_word", "base", "in_comment", "indent", "lexed", "previous",
        "recovered",
    )  # fmt: skip

    def __init__(self, rules: LexRules, *, tab_size: int = 8) -> None:
        """Start at the beginning of a text; ``tab_size`` in columns."""
        self._rules = rules
        self._reading = reading_of(rules)
        self._tab = tab_size
        self._pieces: list[Piece] | None = None
        self._top: Open | None = None
        self._shown: tuple[Open | None, tuple[Frame, ...]] = (None, ())
        self.previous: Statement | None = None
        """The last statement that is complete."""
        self.indent = -1
        """Columns before the line of the statement that is open, in the innermost block; -1: none
        is."""
        self.in_comment = False
        """The text ends inside a comment."""
        self.recovered = False
        """The last feed dropped brackets because a statement began."""
        self.base: int = 0
        self.lexed: int = 0
        self._start = 0
        self._word = b""
        self._second = False
        self._tail = b""
        self._prev = b""
        self._end = -1
        self._only_string = False
        self._after_block = self._condition = False
        self._heredocs: tuple[tuple[bytes, bool, bool], ...] = ()
        self._directive: tuple[Open | None, StatementState] | None = None
        self._branches: tuple[Open | None, ...] = ()
        if rules.markup in ("page", "template"):
            self._push(FrameKind.MARKUP, 0, b"", b"")

    def copy(self) -> Self:
        """Return a lexer in the same state; cheap, whatever has been fed."""
        other = type(self).__new__(type(self))
        for name in LexerState.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    @property
    def stack(self) -> tuple[Frame, ...]:
        """What is open, outermost first. Made anew when that has changed: use :attr:`top` in loops."""
        if self._shown[0] is not self._top:
            self._shown = self._top, self._top.frames() if self._top is not None else ()
        return self._shown[1]

    @property
    def top(self) -> Frame | None:
        """The innermost frame."""
        return self._top.frame if self._top is not None else None

    @property
    def depth(self) -> int:
        """How many frames are open."""
        return self._top.depth if self._top is not None else 0

    @property
    def statement_ended(self) -> bool:
        """No statement is open, and nothing else."""
        return self.indent < 0 and self._top is None

    @property
    def word(self) -> bytes:
        """First word of the statement that is open (the second after ``async``), or nothing."""
        return self._word if self.indent >= 0 else b""

    @property
    def tail(self) -> bytes:
        """The last byte of code, or both of one of :data:`PAIRS`; blanks and comments left out."""
        return self._tail

    @property
    def last_word(self) -> bytes:
        """The last token of code where it is a word, else nothing."""
        return self._prev

    @property
    def code_end(self) -> int:
        """Where the last token of code ends, in bytes of everything fed; -1: there is none."""
        return self._end

    @property
    def statement_start(self) -> int:
        """Where the statement that is open begins, in bytes of everything fed."""
        return self._start

    def _emit(self, start: int, end: int, kind: Kind) -> None:
        if self._pieces is not None and (end > start or kind == "statement"):
            self._pieces.append((self.base + start, self.base + end, kind))

    def _push(
        self, kind: FrameKind, pos: int, text: bytes, closer: bytes, *, block: bool = False
    ) -> None:
        """Open a frame; ``block``: the statement that is open opened it."""
        saved = (self._start, self.indent, self._word)
        if block:
            frame = Frame(
                kind, self.base + pos, text, closer, False, False, False, False, False,
                True, self.indent, self._word,
            )  # fmt: skip
        elif kind is FrameKind.BRACKET:
            frame = Frame(kind, self.base + pos, text, closer, word=self._prev)
        else:
            frame = Frame(kind, self.base + pos, text, closer)
        self._top = Open(frame, self._top, saved)

    def _tail_behind(self, solid: bytes) -> bytes:
        """Return the tail of a text as its last token has it."""
        if solid[-2:] not in PAIRS:
            last = solid[-1:]
            return b'"' if last == b"'" else last
        signs = _SIGNS.search(solid)
        assert signs is not None
        at, token = signs.start(), solid
        while at < len(solid):
            found = self._reading.token.match(solid, at)
            assert found is not None and found.lastgroup is not None
            token, at = solid[found.start(found.lastgroup) : found.end()], max(found.end(), at + 1)
        return tail_of(token)

    def _push_bracket(self, pos: int, text: bytes) -> None:
        self._push(FrameKind.BRACKET, pos, text, BRACKETS[text])

    def _pop_to(self, entry: Open) -> None:
        """Close ``entry`` and what is inside of it; the statement around it goes on."""
        self._top = entry.outer
        if self._reading.structured:
            self._start, self.indent, self._word = entry.saved

    def _close(self, data: bytes, pos: int, text: bytes) -> int:
        """Close the innermost bracket of this kind, and what was left open inside it.

        Returns where the closer ends: it may be longer than a bracket.
        """
        entry = self._top.closed_by(text) if self._top is not None else None
        if entry is None:
            return pos + len(text)
        frame = entry.frame
        if len(frame.closer) > 1:
            if not data.startswith(frame.closer, pos):
                return pos + len(text)
            text = frame.closer
        inner, indent = self._statement(), self.indent
        self._pop_to(entry)
        if frame.block:
            if indent >= 0:
                self.previous = inner
            top = self._top
            self._after_block = top is None or top.frame.block
        elif not self._reading.structured:
            pass
        elif frame.kind is FrameKind.BRACKET:
            # a literal or arguments: the statement goes on as it was when they began
            self._after_block = False
        return pos + len(text)

    def _statement(self, *, header: bool = False) -> Statement:
        return Statement(
            start=self._start,
            indent=self.indent,
            word=self._word,
            header=header,
            opens=self.indent if header else -1,
        )

    def _drop_one_line(self) -> bool:
        """Close the text that ends with its line, and all inside of it."""
        entry = self._top.one_line if self._top is not None else None
        if entry is None:
            return False
        self._pop_to(entry)
        self._tail = b'"'
        return True
