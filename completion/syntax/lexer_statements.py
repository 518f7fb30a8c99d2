"""Follows statements in languages whose blocks are made by braces or words.

A statement begins with the first token of a block, or behind the end of another one. It ends with
its semicolon, its line, its label's colon or the end of its block, as the language has it. Blocks
in its middle put it aside: inside of them others begin and end.
"""

from __future__ import annotations

import re

from completion.syntax.frames import FrameKind
from completion.syntax.lexer_blocks import BlockReader
from completion.syntax.patterns import LABELS
from completion.syntax.reading import tail_of, word_before
from completion.syntax.stack import Open

_GOES_ON = (b"=>", b"->", b"&&", b"||")
_POSTFIX = (b"++", b"--", b"!!")
_VALUES = frozenset(
    b"this super null true false undefined self nil end None NULL __FILE__ __LINE__".split()
)
"""Keywords that are operands."""


_ARGUMENT = re.compile(rb"[ \t]/[^ \t\r\n=]")
"""A slash that touches what is behind it, but not what is before it."""


class StatementReader(BlockReader):
    """The part of the lexer for statements."""

    __slots__ = ()

    def _structured(self, data: bytes, pos: int, end: int, kind: str, line: int) -> int:
        """Take one token of code; return where the next one starts."""
        rules = self._rules
        text = data[pos:end]
        top = self._top
        word = kind == "word"
        if (
            word
            and top is not None
            and top.frame.text in (b"(", b"[")
            and self._end < self.base + line
            and text in rules.statement_words
            and top.frame.kind is FrameKind.BRACKET
        ):
            self._leave_brackets()
            top = self._top
        if self._after_block and kind != "comment":
            self._after_block = False
            goes_on = text in rules.middle_words or (text == b"while" and self._word == b"do")
            if (
                (goes_on is False)
                if word
                else (kind == "quote" or text in (b"{", b"@", b"#", b"<"))
            ):
                self._end_statement()
        free = top is None or top.frame.block
        opening = free and self.indent < 0 and kind != "close" and text not in (b";", b",")
        if opening:
            self._open_statement(data, pos, text if word else b"")
        elif word and self._directive is not None and self._word == b"#":
            self._word = b"#" + text
            self._branch(self._word)
        elif self._second and word:
            self._word, self._second = text, False
        if word:
            if rules.block_words:
                self._block_word(data, pos, end, text, opening=opening)
            self._emit(pos, end, "word")
            if self._end == self.base + pos or self._reading.sigils or end - pos > 60:
                text = word_before(data, 0, end)
            self._prev, self._tail, self._end = text, data[end - 1 : end], self.base + end
            return end
        if kind == "open":
            self._open_bracket(data, pos, text)
            self._emit(pos, end, "open")
        elif kind == "close":
            end = self._close_bracket(data, pos, text)
            self._emit(pos, end, "close")
        else:
            end = self._other(data, pos, end, text, kind, free)
            if end < 0:  # it has opened a text or an element
                return -end
        self._prev, self._tail, self._end = b"", tail_of(data[pos:end]), self.base + end
        return end

    def _other(self, data: bytes, pos: int, end: int, text: bytes, kind: str, free: bool) -> int:
        """Take what is no word and no bracket; negative where the last token is set already."""
        if kind == "quote":
            return -self._quote(data, pos, end)
        if kind == "regex":
            if not self._behind_operand(data, pos):
                return -self._open_regex(pos, end, text)
            end, kind = pos + (2 if data[end : end + 1] == b"=" else 1), "operator"
        elif kind == "element":
            if not self._behind_operand(data, pos):
                end = self._open_element(pos, end, data)
                self._end = self.base + end
                return -end
            kind = "operator"
        elif kind == "heredoc":
            self._announce(data, pos)
            kind = "operator"
        elif kind == "leave":
            if self.indent >= 0:
                self._end_statement()
            self._emit(pos, end, "operator")
            self._push(FrameKind.MARKUP, pos, b"?>", b"<?")
            return end
        elif kind == "character":
            kind = "string"
        return self._operator(data, pos, end, text, kind, free)

    def _operator(self, data: bytes, pos: int, end: int, text: bytes, kind: str, free: bool) -> int:
        if text == b"`" and self._rules.blocks == "end":
            entry = self._top.tick if self._top is not None else None
            if entry is None:
                self._emit(pos, end, "open")
                self._push_bracket(pos, text)
            else:
                end = self._close(data, pos, text)
                self._emit(pos, end, "close")
            return end
        self._emit(pos, end, kind)  # pyright: ignore[reportArgumentType]
        if not free or kind != "operator":
            return end
        if text[:1] == b";":
            if self.indent >= 0:
                self._end_statement()
        elif text == b":":
            if self._word in LABELS and self._word in self._rules.middle_words:
                self._end_statement(header=True)
        elif text == b"=" and self._word == b"def" and self._rules.blocks == "end":
            self._endless(data, pos)
        return end

    def _structured_line_end(self) -> None:
        self._drop_one_line()
        if self._directive is not None:
            self.previous = self._statement()
            self._top, (self._start, self.indent, self._word) = self._directive
            self._directive, self._after_block, self._tail = None, False, b";"
        top = self._top
        bracket = top is not None and top.frame.kind is FrameKind.BRACKET
        if top is not None and bracket and top.frame.start + len(top.frame.text) == self._end:
            self._top = top = Open(top.frame._replace(hanging=True), top.outer, top.saved)
        if self.indent >= 0 and (top is None or top.frame.block):
            if self._after_block:
                self._end_statement()
            elif self._rules.ends != "semicolon" and not self._goes_on():
                opened = (
                    top is not None
                    and top.frame.word == self._word
                    and top.frame.kind is FrameKind.BLOCK
                )
                self._end_statement(header=opened or self._word in self._rules.middle_words)
        if self._heredocs:
            self._begin_heredocs()

    def _goes_on(self) -> bool:
        """Tell whether the line's last token wants another one."""
        tail = self._tail
        if tail in _GOES_ON:
            return True
        return tail not in _POSTFIX and bool(tail) and tail[-1:] in self._rules.continues

    def _behind_operand(self, data: bytes, pos: int) -> bool:
        """Tell whether what stands before ``pos`` is a value, so that an operator follows."""
        last, word = self._tail[-1:], self._prev
        if not last or self.indent < 0:
            return False
        if word:
            if word in self._rules.keywords:
                return word in _VALUES
            # a call without brackets: `puts /x/`
            first = self._start + len(word) == self._end and self._rules.blocks == "end"
            return not (first and _ARGUMENT.match(data, pos - 1))
        if last == b")":
            return not self._condition
        if last == b"}":
            return not self._after_block
        return last in b"]\"'`" or self._tail in _POSTFIX or last.isalnum()
