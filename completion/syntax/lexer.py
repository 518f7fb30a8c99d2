"""The state of the text at a place: open brackets and strings, the logical line, the one before.

Works on broken code: a one-line string ends with its line, a statement's keyword at the start of
a line ends brackets that were left open, a wrong closing bracket is passed over. It reads only
what is before the place, so nothing after the cursor can mislead it. It knows nothing of
completions.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from completion.syntax.frames import Frame, FrameKind, Statement
from completion.syntax.rules import (
    LexRules,
    plain_lines_pattern,
    plain_run_pattern,
    token_pattern,
)

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
]
"""What a piece of text is; ``quote`` opens a string (with its prefix) and ``string`` is the rest of
it; ``statement`` is empty and marks where a logical line begins."""
Piece = tuple[int, int, Kind]
"""Byte offsets from the start of everything fed, and the kind."""

_TEXT_STOP: dict[tuple[bytes, bool], re.Pattern[bytes]] = {}
_PREFIX_LETTERS = b"rRuUbBfFtT"
_LAST_WORD = re.compile(rb"[A-Za-z_0-9\x80-\xff]++\Z")
_FORMAT_STOP = re.compile(rb"[{}\n]|\"\"\"|'''|[\"']")


def columns(blanks: bytes, tab_size: int = 8) -> int:
    """Return the width of leading blanks in columns, tabs expanded to multiples of ``tab_size``."""
    return len(blanks.expandtabs(tab_size)) if b"\t" in blanks else len(blanks)


class Lexer:
    """Reads whole lines and says what is open after them; ``peek`` reads a part of a line.

    Each byte fed is read once, in the order fed. ``lexed`` counts bytes read, for the tests that
    hold this true.
    """

    __slots__ = (
        "_end", "_last", "_only_string", "_pieces", "_rules", "_second", "_start", "_tab", "_word",
        "base", "in_comment", "indent", "lexed", "previous", "recovered", "stack",
    )  # fmt: skip

    def __init__(self, rules: LexRules, *, tab_size: int = 8) -> None:
        """Start at the beginning of a text; ``tab_size`` in columns."""
        self._rules = rules
        self._tab = tab_size
        self._pieces: list[Piece] | None = None
        self.stack: tuple[Frame, ...] = ()
        """What is open, outermost first."""
        self.previous: Statement | None = None
        """The last logical line that is complete."""
        self.indent = -1
        """Columns before the logical line that is open; -1: none is."""
        self.in_comment = False
        """The text ends inside a comment (only after :meth:`peek`)."""
        self.recovered = False
        """The last feed dropped brackets because a statement began."""
        self.base = 0
        self.lexed = 0
        self._start = 0
        self._word = b""
        self._second = False
        self._last = b""
        self._end = -1
        self._only_string = False

    def copy(self) -> Lexer:
        """Return a lexer in the same state; cheap, whatever has been fed."""
        other = Lexer.__new__(Lexer)
        for name in Lexer.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    def peek(self, part: bytes) -> Lexer:
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
    def statement_ended(self) -> bool:
        """No logical line is open."""
        return self.indent < 0 and not self.stack

    @property
    def at_header(self) -> bool:
        """The open logical line is so far a whole header: ``if x:``."""
        return not self.stack and self._is_header()

    def _is_header(self) -> bool:
        return self.indent >= 0 and self._last == b":" and self._word in self._rules.compound_words

    def _emit(self, start: int, end: int, kind: Kind) -> None:
        if self._pieces is not None and (end > start or kind == "statement"):
            self._pieces.append((self.base + start, self.base + end, kind))

    def _read(self, data: bytes) -> None:
        self.lexed += len(data)
        self.recovered = self.in_comment = False
        match = token_pattern(self._rules).match
        quick = plain_lines_pattern(self._rules) if self._pieces is None else None
        pos = line = quick_from = 0
        size = len(data)
        while pos < size:
            if self.stack and self.stack[-1].is_text:
                pos = self._text(data, pos)
                continue
            if quick and pos == line and pos >= quick_from and not self.stack and self.indent < 0:
                found = quick.match(data, pos)
                if found:
                    quick_from = found.end()
                    pos = line = _last_lines(data, pos, found.end(), self._rules.comment)
                    if pos == size:
                        break
            if quick and self._end >= self.base + line and not self._second:
                pos = self._run(data, pos)
                if pos == size:
                    break
            token = match(data, pos)
            assert token is not None and token.lastgroup is not None  # the last group is any byte
            kind, end = token.lastgroup, token.end()
            if kind == "eol":
                self._emit(pos, end, "eol")
                self._line_end()
                line = end
            elif kind == "join":
                self._emit(pos, end, "join")
                line = end
            elif kind == "comment":
                self._emit(pos, end, "comment")
                self.in_comment = end == size
            elif kind != "blank":
                end = self._token(data, pos, end, kind, line)
            pos = end
        self.base += size

    def _run(self, data: bytes, pos: int) -> int:
        """Pass over what leaves nothing open, behind the first token of a line."""
        pattern = plain_run_pattern(self._rules)
        if pattern is None or (self.stack and self.stack[-1].kind is not FrameKind.BRACKET):
            return pos
        found = pattern.match(data, pos)
        end = found.end() if found else pos
        if data[end : end + 1] in (b'"', b"'"):
            word = _LAST_WORD.search(data, pos, end)  # it may be the prefix of that string
            if word and word.group().lower() in self._rules.string_prefixes:
                end = word.start()
        solid = data[pos:end].rstrip()
        if solid:
            self._last, self._end = solid[-1:], self.base + pos + len(solid)
            self._only_string = False
        return end

    def _token(self, data: bytes, pos: int, end: int, kind: str, line: int) -> int:
        """Take one token of code; return where the next one starts."""
        text = data[pos:end]
        first_in_line = self.stack and self._end < self.base + line
        if first_in_line and text in self._rules.statement_words and kind == "word":
            self.stack, self.indent, self.recovered = (), -1, True
        opening = self.indent < 0
        if opening:
            self.indent = columns(data[line:pos], self._tab)
            self._start = self.base + pos
            self._word = text if kind == "word" else b""
            self._second = text == b"async"
            self._emit(pos, pos, "statement")
        elif self._second:
            self._word, self._second = text, False
        top = self.stack[-1] if self.stack else None
        if kind == "quote":
            end = self._quote(pos, end, text, top, opening=opening)
        else:
            self._only_string = False
            if kind == "open":
                self._push(FrameKind.BRACKET, pos, text)
            elif kind == "close":
                self._close(text)
            elif text[:1] == b":" and top and top.kind is FrameKind.INTERPOLATION:
                end = pos + 1
                self._push(FrameKind.FORMAT, pos, b":")
            self._emit(pos, end, kind)  # pyright: ignore[reportArgumentType]
        self._last, self._end = text[-1:], self.base + end
        return end

    def _push(self, kind: FrameKind, pos: int, text: bytes, **flags: bool) -> None:
        frame = Frame(kind=kind, start=self.base + pos, text=text, **flags)
        self.stack = (*self.stack, frame)

    def _quote(self, pos: int, end: int, text: bytes, top: Frame | None, *, opening: bool) -> int:
        delimiter = text.lstrip(_PREFIX_LETTERS)
        if top and top.kind is FrameKind.INTERPOLATION and self._last not in b"{(,:=+%|&":
            # Behind an operand no string can begin: the f-string ends, its brace left open.
            outer = self.stack[-2].text
            if delimiter == text and text.startswith(outer):
                self.stack = self.stack[:-2]
                self._emit(pos, pos + len(outer), "string")
                return pos + len(outer)
        prefix = text[: len(text) - len(delimiter)].lower()
        before = self.previous
        first = before is None or (
            before.header
            and before.indent < self.indent
            and before.word in self._rules.definition_words
        )
        docstring = opening and first and not set(prefix) & set(b"bft")
        self._only_string = docstring
        start = end - len(delimiter)
        self._push(
            FrameKind.STRING,
            start,
            delimiter,
            formatted=bool(set(prefix) & set(b"ft")),
            raw=b"r" in prefix,
            docstring=docstring,
        )
        self._emit(pos, end, "quote")
        return end

    def _close(self, text: bytes) -> None:
        """Close the innermost bracket of this kind, and what was left open inside it."""
        for index in range(len(self.stack) - 1, -1, -1):
            frame = self.stack[index]
            if frame.is_text:
                return
            if frame.closer == text:
                self.stack = self.stack[:index]
                return
            if frame.kind is FrameKind.INTERPOLATION:
                return

    def _text(self, data: bytes, pos: int) -> int:
        """Read text of a string up to what ends it or opens an interpolation."""
        top = self.stack[-1]
        if top.kind is FrameKind.FORMAT:
            found = _FORMAT_STOP.search(data, pos)
        else:
            found = _text_stop(top).search(data, pos)
        if found is None:
            self._emit(pos, len(data), "string")
            return len(data)
        stop, end = found.group(), found.end()
        if stop.endswith(b"\n") and not stop.startswith(b"\\"):
            if self._drop_one_line_string():
                end = found.start()  # the line end is code again
            self._emit(pos, end, "string")
        elif stop == b"{":
            self._emit(pos, found.start(), "string")
            self._emit(found.start(), end, "open")
            self._push(FrameKind.INTERPOLATION, found.start(), stop)
            self._last = stop
        elif stop == b"}":  # of a format: its interpolation ends too
            self._emit(pos, found.start(), "string")
            self._emit(found.start(), end, "close")
            self.stack = self.stack[:-2]
        elif top.kind is FrameKind.FORMAT:
            outer = self.stack[-3].text
            if stop.startswith(outer):
                self.stack = self.stack[:-3]
                end = found.start() + len(outer)
            self._emit(pos, end, "string")
        else:
            if stop == top.text:
                self.stack = self.stack[:-1]
            self._emit(pos, end, "string")
        self._end = self.base + end
        return end

    def _drop_one_line_string(self) -> bool:
        for index, frame in enumerate(self.stack):
            if frame.one_line:
                self.stack = self.stack[:index]
                return True
        return False

    def _line_end(self) -> None:
        self._drop_one_line_string()
        if self.stack:
            top = self.stack[-1]
            if not top.hanging and top.start + len(top.text) == self._end:
                self.stack = (*self.stack[:-1], replace(top, hanging=True))
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


def _text_stop(frame: Frame) -> re.Pattern[bytes]:
    """Return what may end the text of ``frame`` or has to be passed over in it."""
    key = (frame.text, frame.formatted)
    if key not in _TEXT_STOP:
        braces = rb"|\{\{|\{" if frame.formatted else b""
        line = rb"|\r*\n" if len(frame.text) == 1 else b""
        _TEXT_STOP[key] = re.compile(
            rb"\\(?:\r\n|.)|" + re.escape(frame.text) + braces + line, re.DOTALL
        )
    return _TEXT_STOP[key]


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
