"""Reads text inside code: strings, their interpolations, here-documents, block comments.

A one-line string ends with its line, closed or not. What a text opens in itself is code again.
"""

from __future__ import annotations

import functools
import re

from completion.syntax.frames import Frame, FrameKind
from completion.syntax.lexer_state import LexerState, columns
from completion.syntax.patterns import comment_pattern, heredoc_pattern, text_pattern
from completion.syntax.rules import Quote
from completion.syntax.stack import Open

_FORMAT_STOP = re.compile(rb"[{}\n]|\"\"\"|'''|[\"']")
_KEYS = re.compile(rb" *(?:- +)*")


class TextReader(LexerState):
    """The part of the lexer for text."""

    __slots__ = ()

    def _text(self, data: bytes, pos: int) -> int:
        """Read on in the text that is open; return where something else begins."""
        top = self._top
        assert top is not None
        kind = top.frame.kind
        if kind is FrameKind.COMMENT:
            return self._comment_text(data, pos, top)
        if kind is FrameKind.FORMAT:
            return self._format(data, pos, top)
        quote = top.frame.quote
        if quote is None:
            return self._scalar(data, pos, top)
        found = self._pattern_of(top, quote).match(data, pos)
        assert found is not None
        stop, end = found.lastgroup, found.end()
        if stop is None:
            self._emit(pos, end, "string")
            if end == pos:  # a piece of what could open an escape
                end = len(data)
        elif stop == "close":
            if top.frame.level:
                self._top = Open(
                    top.frame._replace(level=top.frame.level - 1), top.outer, top.saved
                )
            else:
                self._pop_to(top)
                self._tail = b'"'
            self._emit(pos, end, "comment" if quote.scope == "comment" else "string")
        elif stop == "hole":
            start = found.start("hole")
            self._emit(pos, start, "string")
            self._emit(start, end, "open")
            opens = data[start:end]
            self._push(FrameKind.INTERPOLATION, start, opens, dict(quote.holes)[opens])
            self._tail, self._prev, self._after_block = opens[-1:], b"", False
        elif stop == "nest":
            self._emit(pos, end, "string")
            self._top = Open(top.frame._replace(level=top.frame.level + 1), top.outer, top.saved)
        else:
            self._drop_one_line()
            end = found.start("eol")  # the line end is code again
            self._emit(pos, end, "string")
        self._end = self.base + end
        return end

    def _pattern_of(self, top: Open, quote: Quote) -> re.Pattern[bytes]:
        frame = top.frame
        if frame.word:  # a here-document is ended by a word
            holes = tuple(opens for opens, _ in quote.holes)
            loose = self._rules.markup == "template"
            return heredoc_pattern(frame.word, quote.doubled, holes, loose)
        return _text_pattern(id(quote), frame.closer, quote)

    def _comment_text(self, data: bytes, pos: int, top: Open) -> int:
        frame = top.frame
        pattern = comment_pattern(frame.text, frame.closer, self._rules.nested_comments)
        found = pattern.match(data, pos)
        assert found is not None
        end = found.end()
        if found.lastgroup == "close":
            if frame.level:
                self._top = Open(frame._replace(level=frame.level - 1), top.outer, top.saved)
            else:
                self._top = top.outer
        elif found.lastgroup == "nest":
            self._top = Open(frame._replace(level=frame.level + 1), top.outer, top.saved)
        self._emit(pos, end, "comment")
        return end if found.lastgroup else len(data)

    def _format(self, data: bytes, pos: int, top: Open) -> int:
        """Read the format of an interpolation (Python)."""
        found = _FORMAT_STOP.search(data, pos)
        if found is None:
            self._emit(pos, len(data), "string")
            self._end = self.base + len(data)
            return len(data)
        stop, end = found.group(), found.end()
        hole = top.outer
        assert hole is not None and hole.outer is not None
        if stop == b"\n":
            if self._drop_one_line():
                end = found.start()
            self._emit(pos, end, "string")
        elif stop == b"{":
            self._emit(pos, found.start(), "string")
            self._emit(found.start(), end, "open")
            self._push(FrameKind.INTERPOLATION, found.start(), stop, b"}")
            self._tail = stop
        elif stop == b"}":  # its interpolation ends too
            self._emit(pos, found.start(), "string")
            self._emit(found.start(), end, "close")
            self._pop_to(hole)
        else:
            outer = hole.outer.frame.text
            if hole.outer.frame.kind is FrameKind.STRING and stop.startswith(outer):
                self._pop_to(hole.outer)
                end = found.start() + len(outer)
            self._emit(pos, end, "string")
        self._end = self.base + end
        return end

    def _quote(self, data: bytes, pos: int, end: int, *, opening: bool = False) -> int:
        """Open the string that ``data[pos:end]`` begins; return where its own text starts."""
        quote, closer, delimiter = self._reading.opening(data, pos, end)
        text = data[pos:end]
        top = self._top
        if top is not None and top.frame.kind is FrameKind.INTERPOLATION and delimiter == text:
            string = top.outer
            if string is not None and self._ends_outer(string.frame, text):
                self._pop_to(string)
                end = pos + len(string.frame.text)
                self._emit(pos, end, "string")
                self._tail, self._prev, self._end = text[-1:], b"", self.base + end
                return end
        docstring = opening and quote.docstring and self._documents()
        self._only_string = docstring
        frame = Frame(
            FrameKind.COMMENT if quote.scope == "comment" else FrameKind.STRING,
            self.base + end - len(delimiter),
            delimiter,
            closer,
            not quote.lines,
            bool(quote.holes),
            not quote.escape or b"r" in text[: len(text) - len(delimiter)].lower(),
            docstring,
            quote=quote,
        )
        self._top = Open(frame, self._top, (self._start, self.indent, self._word))
        self._emit(pos, end, "comment" if quote.scope == "comment" else "quote")
        self._tail, self._prev, self._end = text[-1:], b"", self.base + end
        return end

    def _ends_outer(self, outer: Frame, text: bytes) -> bool:
        """Tell whether a quote behind an operand ends the string around an interpolation.

        No string can begin there: the interpolation's bracket was left open.
        """
        last = self._tail[-1:]
        if outer.quote is None or not last:
            return False
        if outer.quote.formats:
            return last not in b"{(,:=+%|&" and text.startswith(outer.text)
        return outer.one_line and text == outer.closer and (last.isalnum() or last in b'_)]}"')

    def _documents(self) -> bool:
        """Tell whether a string that begins a statement here is a docstring."""
        before = self.previous
        return before is None or (
            before.header
            and before.indent < self.indent
            and before.word in self._rules.definition_words
        )

    def _open_regex(self, pos: int, end: int, text: bytes) -> int:
        quote = self._rules.regex
        assert quote is not None
        frame = Frame(
            FrameKind.STRING,
            self.base + pos,
            text,
            text,
            not quote.lines,
            bool(quote.holes),
            quote=quote,
        )
        self._top = Open(frame, self._top, (self._start, self.indent, self._word))
        self._emit(pos, end, "quote")
        self._tail, self._prev, self._end = text, b"", self.base + end
        return end

    def _announce(self, data: bytes, pos: int) -> None:
        """Remember the here-document that begins behind this line."""
        found = self._reading.token.match(data, pos)
        assert found is not None
        groups = found.groupdict()
        mark = groups["mark"]
        word = groups["ends"] or groups["quoted"]
        raw = mark is not None and mark in self._rules.raw_marks
        self._heredocs = (*self._heredocs[-7:], (word, bool(groups["indented"]), raw))

    def _open_comment(self, pos: int, opener: bytes) -> None:
        closer = dict(self._rules.block_comments)[opener]
        self._push(FrameKind.COMMENT, pos, opener, closer)

    def _begin_heredocs(self) -> None:
        """Open the texts that the line before announced; the first one is read first."""
        for word, indented, raw in reversed(self._heredocs):
            quote = _heredoc_quote(indented, () if raw else self._rules.heredoc_holes)
            frame = Frame(
                FrameKind.STRING,
                self._end,
                b"<<" + word,
                word,
                formatted=not raw,
                raw=raw,
                word=word,
                quote=quote,
            )
            self._top = Open(frame, self._top, (self._start, self.indent, self._word))
        self._heredocs = ()

    def _begin_scalar(self, line: bytes) -> None:
        """Open the text below a line that ends in ``|`` (YAML)."""
        keys = _KEYS.match(line)
        assert keys is not None
        rest = line[keys.end() :]
        start = keys.end()
        if rest[:1] in (b"|", b">"):
            start = max(line.rfind(b"-", 0, start), 0)
        frame = Frame(FrameKind.STRING, self._end, b"|", b"", level=columns(line[:start]))
        self._top = Open(frame, self._top, (self._start, self.indent, self._word))

    def _scalar(self, data: bytes, pos: int, top: Open) -> int:
        """Read lines that are blank or indented more than what announced them."""
        found = _scalar_pattern(top.frame.level).match(data, pos)
        assert found is not None
        end = found.end()
        self._emit(pos, end, "string")
        if end < len(data):
            self._top = top.outer
        return end


@functools.lru_cache(maxsize=256)
def _heredoc_quote(indented: bool, holes: tuple[tuple[bytes, bytes], ...]) -> Quote:
    # `doubled` tells whether blanks may stand before the word that ends it
    return Quote(opens=b"<<", closes=b"", lines=True, doubled=indented, holes=holes)


_TEXT_PATTERNS: dict[tuple[int, bytes], re.Pattern[bytes]] = {}


def _text_pattern(key: int, closer: bytes, quote: Quote) -> re.Pattern[bytes]:
    """Return a string's pattern without hashing its rule, which lives as long as this program."""
    found = _TEXT_PATTERNS.get((key, closer))
    if found is None:
        if len(_TEXT_PATTERNS) > 1024:
            _TEXT_PATTERNS.clear()
        found = _TEXT_PATTERNS[key, closer] = text_pattern(quote, closer)
    return found


@functools.lru_cache(maxsize=64)
def _scalar_pattern(level: int) -> re.Pattern[bytes]:
    deeper = b" {%d,}" % (level + 1)
    return re.compile(rb"(?:[ \t\r]*+\n|" + deeper + rb"[^\n]*+(?:\n|\Z)| *+\Z)*+")
