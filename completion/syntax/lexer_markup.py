"""Reads tags and the text between them: elements inside of code, pages, code inside of a page.

An element that is never closed ends where a line at the left margin begins a statement; what was
taken for a tag and holds what no tag holds was none.
"""

from __future__ import annotations

import re

from completion.syntax.frames import Frame, FrameKind
from completion.syntax.lexer_text import TextReader
from completion.syntax.rules import Quote
from completion.syntax.stack import Open

_ATTRIBUTES = {
    quote: Quote(opens=quote, closes=quote, lines=True, escape=b"") for quote in (b'"', b"'")
}
_RAW = frozenset((b"script", b"style"))
"""Elements of a page whose text holds no tags."""

_TAG = re.compile(
    rb"[ \t\f\r]*+(?:(?P<eol>\r*+\n)|(?P<word>[\w\x80-\xff.:@$#%-]++)|(?P<quote>[\"'])|(?P<open>\{)"
    rb"|(?P<shut>/>)|(?P<leave>>)|(?P<comment>/\*(?:[^*]++|\*(?!/))*+(?:\*/)?+|//[^\r\n]*+)"
    rb"|(?P<tag><)|(?P<stop>[;,)}\]])|(?P<operator>[^\s]|[\v\x1c-\x1f])|(?P<end>\Z))",
    re.DOTALL,
)
_NO_ELEMENT = frozenset((b"extends",))
"""Words that only type parameters have: ``<T extends Base>(x: T) => x``."""

_BEGINS = rb"(?:export|import|function|class|const|let|var|interface|type)\b"
_ELEMENT_TEXT = re.compile(
    rb"(?:(?:(?<=[^\n])|(?!" + _BEGINS + rb"))[^<{\n]++|\n|<(?![A-Za-z_$>/]))*+"
    rb"(?:(?P<hole>\{)|(?P<shut></)|(?P<fragment><>)|(?P<tag><)"
    rb"|(?P<lost>(?<![^\n])(?=" + _BEGINS + rb")))?+",
    re.DOTALL,
)
_PAGE_TEXT = re.compile(
    rb"(?:[^<]++|<(?![A-Za-z/!?]))*+(?:(?P<comment><!--)|(?P<shut></)|(?P<tag><))?+", re.DOTALL
)
_RAW_TEXT = {
    name: re.compile(rb"(?:[^<]++|<(?!/(?i:" + name + rb")))*+(?:(?P<shut></))?+", re.DOTALL)
    for name in _RAW
}
_TEMPLATE_TEXT = re.compile(
    rb"(?:[^<]++|<(?!\?(?:php\b|=|\s)))*+(?:(?P<enter><\?(?:php\b|=|(?=\s))))?+", re.DOTALL | re.I
)


class MarkupReader(TextReader):
    """The part of the lexer for markup."""

    __slots__ = ()

    def _open_element(self, pos: int, end: int, data: bytes) -> int:
        """Open the element that begins with ``<`` at ``pos``."""
        if data[end : end + 1] == b">":
            self._push(FrameKind.MARKUP, pos, b"<>", b"</>")
            self._emit(pos, end + 1, "operator")
            return end + 1
        self._push(FrameKind.TAG, pos, b"<", b">")
        self._emit(pos, end, "operator")
        return end

    def _tag(self, data: bytes, pos: int) -> int:
        """Read one token inside of a tag."""
        top = self._top
        assert top is not None
        found = _TAG.match(data, pos)
        assert found is not None and found.lastgroup is not None
        kind, end = found.lastgroup, found.end()
        start = found.start(kind)
        text = data[start:end]
        first = self._end == self.base + start  # the tag's own name touches its bracket
        if kind == "eol":
            self._emit(start, end, "eol")
            return end
        if kind == "quote":
            self._emit(start, end, "quote")
            self._push_text(start, text)
        elif kind == "open" and self._rules.markup == "elements":
            self._emit(start, end, "open")
            self._push(FrameKind.INTERPOLATION, start, text, b"}")
            self._tail, self._prev = text, b""
        elif kind == "comment":
            self._emit(start, end, "comment")
        elif kind in ("shut", "leave"):
            self._emit(start, end, "operator")
            self._leave_tag(top, shut=kind == "shut")
        elif kind == "tag" and self._rules.markup == "page":
            self._top = top.outer  # it was never closed
            return start
        elif (kind in ("tag", "stop") or text in _NO_ELEMENT) and self._rules.markup != "page":
            self._top = top.outer
            # another one begins here, or this was none: a comparison
            self._tail = b"(" if kind == "tag" and data[end : end + 1].isalpha() else b")"
            return start
        elif kind != "end":
            if first and kind == "word" and not top.frame.word:
                named = top.frame._replace(word=text.lower())
                self._top = Open(named, top.outer, top.saved)
            self._emit(start, end, "word" if kind == "word" else "operator")
        self._end = self.base + end
        return end

    def _leave_tag(self, top: Open, *, shut: bool) -> None:
        frame, around = top.frame, top.outer
        if self._rules.markup == "page":
            self._top = around
            if frame.word in _RAW and frame.text == b"<" and not shut:
                self._push(FrameKind.MARKUP, frame.start - self.base, frame.word, b"</")
            return
        self._top = around
        if frame.text == b"</":
            if around is not None and around.frame.kind is FrameKind.MARKUP:
                self._top = around.outer
            self._tail = b")"
        elif shut:
            self._tail = b")"
        else:
            self._push(FrameKind.MARKUP, frame.start - self.base, b"<" + frame.word + b">", b"</")

    def _push_text(self, pos: int, text: bytes) -> None:
        frame = Frame(
            FrameKind.STRING, self.base + pos, text, text, raw=True, quote=_ATTRIBUTES[text]
        )
        self._top = Open(frame, self._top, (self._start, self.indent, self._word))
        self._tail, self._prev = b'"', b""

    def _markup(self, data: bytes, pos: int) -> int:
        """Read text between tags up to the next tag, hole or piece of code."""
        top = self._top
        assert top is not None
        frame = top.frame
        if self._rules.markup == "template":
            pattern = _TEMPLATE_TEXT
        elif self._rules.markup == "page":
            pattern = _RAW_TEXT.get(frame.text, _PAGE_TEXT)
        else:
            pattern = _ELEMENT_TEXT
        found = pattern.match(data, pos)
        assert found is not None
        kind, end = found.lastgroup, found.end()
        if kind is None:
            self._emit(pos, end, "text")
            self._end = self.base + end
            return end
        start = found.start(kind)
        self._emit(pos, start, "text")
        if kind == "comment":
            self._emit(start, end, "comment")
            self._open_comment(start, b"<!--")
        elif kind == "hole":
            self._emit(start, end, "open")
            self._push(FrameKind.INTERPOLATION, start, b"{", b"}")
            self._tail, self._prev, self._after_block = b"{", b"", False
        elif kind == "enter":
            self._top = top.outer
            self._emit(start, end, "operator")
            self._tail, self._prev = b";", b""
        elif kind == "lost":
            self._leave_elements(top)
            end = start
        elif kind == "fragment":
            self._emit(start, end, "operator")
            self._push(FrameKind.MARKUP, start, b"<>", b"</>")
        else:
            self._emit(start, end, "operator")
            if kind == "shut" and frame.text in _RAW:
                self._top = top.outer
            self._push(FrameKind.TAG, start, data[start:end], b">")
        self._end = self.base + end
        return end

    def _leave_elements(self, top: Open) -> None:
        """Close everything: a statement begins at the left margin."""
        self._top, self.indent, self.recovered = None, -1, True
        self._after_block = False
        self._tail = b";"
