"""The state of the text at a place: open brackets and strings, the statement, the one before.

Works on broken code: a one-line string ends with its line, a statement's keyword at the start of
a line ends brackets that were left open, a wrong closing bracket is passed over. It reads only
what is before the place, so nothing after the cursor can mislead it. It knows nothing of
completions.
"""

from __future__ import annotations

import re
from typing import Self

from completion.syntax.frames import FrameKind, Statement
from completion.syntax.lexer_state import Kind, Piece, columns
from completion.syntax.lexer_statements import StatementReader
from completion.syntax.patterns import CONDITIONS, LABELS
from completion.syntax.reading import LAST_WORD, tail_of, word_before
from completion.syntax.stack import CODE, TAG, Open

__all__ = ["Kind", "Lexer", "Piece", "columns"]

_LAST_PREFIX = re.compile(rb"[A-Za-z_0-9$@%\x80-\xff]++\Z")
_PYTHON_PREFIXES = frozenset(b"r u b f t br rb fr rf tr rt".split())
_TAG = re.compile(rb"[!&][^ \t\r\n]*+[ \t]++\Z")
"""A scalar's tag or anchor, which stands before it (YAML)."""
_WATCHED = LABELS | {b"#"}
"""First words of statements in which every token counts: labels, and a directive's first one."""


class Lexer(StatementReader):
    """Reads whole lines and says what is open after them; ``peek`` reads a part of a line.

    Each byte fed is read once, in the order fed. ``lexed`` counts bytes read, for the tests that
    hold this true.
    """

    __slots__ = ()

    def peek(self, part: bytes) -> Self:
        """Return the state after ``part`` of the next line; this lexer stays where it is."""
        other = self.copy()
        other._read(part)
        return other

    def feed(self, lines: bytes) -> None:
        """Read whole lines: ``lines`` ends with a line end, or nothing follows it."""
        self._read(lines)

    def pieces(self, lines: bytes) -> list[Piece]:
        """Read ``lines`` and return their pieces, blanks left out, in order."""
        found: list[Piece] = []
        self._pieces = found
        self._read(lines)
        self._pieces = None
        return found

    @property
    def at_header(self) -> bool:
        """The open logical line is so far a whole header: ``if x:`` (languages with indentation)."""
        return self._top is None and self._is_header()

    def _is_header(self) -> bool:
        if self.indent < 0 or self._tail[-1:] != b":" or self._rules.blocks != "indent":
            return False
        return self._word in self._rules.compound_words

    def _read(self, data: bytes) -> None:
        reading = self._reading
        self.lexed += len(data)
        self.recovered = False
        match = reading.token.match
        lines = reading.lines.match if reading.lines and self._pieces is None else None
        run = reading.run is not None and self._pieces is None
        take = self._structured if reading.structured else self._token
        pos = line = quick_from = 0
        size = len(data)
        commented = False
        while pos < size:
            top = self._top
            if top is not None and top.reads != CODE:
                behind = pos
                if top.reads == TAG:
                    pos = self._tag(data, pos)
                elif top.frame.kind is FrameKind.MARKUP:
                    pos = self._markup(data, pos)
                else:
                    pos = self._text(data, pos)
                line = data.rfind(b"\n", behind, pos) + 1 or line
                continue
            if lines and pos == line and pos >= quick_from and top is None and self.indent < 0:
                found = lines(data, pos)
                if found:
                    quick_from = found.end()
                    pos = line = _last_lines(data, pos, found.end(), self._rules.comment)
                    if pos == size:
                        break
            if run and self._end >= self.base + line and not self._second:
                pos = self._run(data, pos)
                if pos == size:
                    break
            token = match(data, pos)
            assert token is not None and token.lastgroup is not None  # the last group is any byte
            kind, end = token.lastgroup, token.end()
            if kind == "eol":
                self._emit(token.start("eol"), end, "eol")
                self._line_end(data, line)
                line = end
            elif kind == "end":
                break
            else:
                start = token.start(kind)
                if kind == "comment":
                    self._emit(start, end, "comment")
                    commented = end == size
                elif kind == "block_comment":
                    self._emit(start, end, "comment")
                    self._open_comment(start, data[start:end])
                elif kind == "join":
                    self._emit(start, end, "join")
                    line = end
                elif kind == "directive":
                    self._emit(start, end, "operator")
                else:
                    end = take(data, start, end, kind, line)
            pos = end
        self.base += size
        top = self._top
        self.in_comment = commented or (top is not None and top.frame.kind is FrameKind.COMMENT)

    def _run(self, data: bytes, pos: int) -> int:
        """Pass over what leaves nothing open, behind the first token of a line."""
        reading, top = self._reading, self._top
        if top is not None and top.frame.kind is FrameKind.INTERPOLATION:
            return pos
        structured = reading.structured
        if structured and (self.indent < 0 or self._after_block or self._word in _WATCHED):
            return pos
        if self._prev in CONDITIONS and reading.rules.regex:
            return pos  # what closes its bracket counts
        assert reading.run is not None
        found = reading.run.match(data, pos)
        end = found.end() if found else pos
        if data[end : end + 1] in (b'"', b"'", b"`", b"#"):
            # what touches a quote may be the prefix of that string
            word = (_LAST_PREFIX if structured else LAST_WORD).search(data, pos, end)
            if word and (structured or word.group().lower() in _PYTHON_PREFIXES):
                end = word.start()
        solid = data[pos:end].rstrip(b" \t\f\r")
        if solid:
            self._tail, self._end = self._tail_behind(solid), self.base + pos + len(solid)
            self._only_string = self._condition = False
            if structured:
                stop = pos + len(solid)
                self._prev = word_before(data, 0, stop)
        return end

    def _token(self, data: bytes, pos: int, end: int, kind: str, line: int) -> int:
        """Take one token of code where a statement is a logical line; return where the next starts."""
        text = data[pos:end]
        top = self._top
        if (
            top is not None
            and kind == "word"
            and self._end < self.base + line
            and text in self._rules.statement_words
        ):
            self._top, self.indent, self.recovered = None, -1, True
            top = None
        opening = self.indent < 0
        if opening:
            self.indent = columns(data[line:pos], self._tab)
            self._start = self.base + pos
            self._word = text if kind == "word" else b""
            self._second = text == b"async"
            self._emit(pos, pos, "statement")
        elif self._second:
            self._word, self._second = text, False
        if kind == "quote":
            if not self._rules.scalar or self._begins_value(data, pos, line):
                return self._quote(data, pos, end, opening=opening)
            kind = "operator"
        self._only_string = False
        if kind == "open":
            self._push_bracket(pos, text)
        elif kind == "close":
            end = self._close(data, pos, text)
        elif kind == "scalar":
            self._heredocs = ((b"|", False, False),)
            kind = "operator"
        elif (
            top is not None
            and text[:1] == b":"
            and top.frame.kind is FrameKind.INTERPOLATION
            and top.frame.text == b"{"
        ):
            end = pos + 1
            self._push(FrameKind.FORMAT, pos, b":", b"}")
        self._emit(pos, end, kind)  # pyright: ignore[reportArgumentType]
        self._tail, self._end = tail_of(text), self.base + end
        return end

    def _begins_value(self, data: bytes, pos: int, line: int) -> bool:
        """Tell whether a quote opens a scalar (YAML); inside of a plain one it is a letter."""
        first = self._end < self.base + line
        return first or self._tail[-1:] in b":,[{-?" or bool(_TAG.search(data, line, pos))

    def _line_end(self, data: bytes, line: int) -> None:
        if self._reading.structured:
            self._structured_line_end()
            return
        self._drop_one_line()
        top = self._top
        if top is not None:
            if not top.frame.hanging and top.frame.start + len(top.frame.text) == self._end:
                self._top = Open(top.frame._replace(hanging=True), top.outer, top.saved)
        elif self.indent >= 0:
            header = self._is_header()
            opens = self.indent if header else -1
            if self._only_string and self.previous:
                opens = self.previous.opens
            word = self.previous.word if self._only_string and self.previous else self._word
            self.previous = Statement(
                start=self._start, indent=self.indent, word=word, header=header, opens=opens
            )
            self.indent, self._only_string = -1, False
        if self._heredocs:
            self._heredocs = ()
            self._begin_scalar(data[line:])


def _last_lines(data: bytes, start: int, end: int, comment: bytes) -> int:
    """Return where the last two lines with code in ``data[start:end]`` begin, or ``end``."""
    found, line_end, place = 0, end, end
    while line_end > start and found < 2:
        line = data.rfind(b"\n", start, line_end - 1) + 1 or start
        content = data[line:line_end].lstrip()
        if content and not content.startswith(comment):
            found, place = found + 1, line
        line_end = line
    return place
