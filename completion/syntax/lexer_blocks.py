"""Opens and closes statements and blocks, where braces or words make blocks."""

from __future__ import annotations

import re

from completion.syntax.frames import FrameKind
from completion.syntax.lexer_markup import MarkupReader
from completion.syntax.lexer_state import columns
from completion.syntax.patterns import CONDITIONS

_BLANKS = re.compile(rb"[ \t\f]*+")
_LEADING = frozenset(
    b"then else do elif elsif while until if unless begin ensure not and or in when".split()
)
"""Words behind which a statement of a language with word blocks may begin."""
_LOOPS = frozenset((b"while", b"until", b"for"))
_LITERAL_BEFORE = b"=(,[:?&|+!~<"
"""Bytes behind which ``{`` opens a literal and no block."""
_VALUE_WORDS = frozenset(
    b"return yield in of typeof await case puts p and or not const let var import export".split()
)


class BlockReader(MarkupReader):
    """The part of the lexer for blocks."""

    __slots__ = ()

    def _open_statement(self, data: bytes, pos: int, word: bytes) -> None:
        line = data.rfind(b"\n", 0, pos) + 1
        blanks = _BLANKS.match(data, line, pos)
        self.indent = columns(blanks.group() if blanks else b"", self._tab)
        self._start, self._word, self._second = self.base + pos, word, word == b"async"
        self._emit(pos, pos, "statement")
        directive = self._rules.directives and data[pos : pos + 1] == b"#"
        if directive and not data[line:pos].strip():
            # `indent` belonged to no statement: what is restored behind the line is none
            self._directive = self._top, (0, -1, b"")
            self._word = b"#"

    def _end_statement(self, *, header: bool = False) -> None:
        self.previous = self._statement(header=header)
        self.indent, self._after_block = -1, False

    def _leave_brackets(self) -> None:
        """A statement begins: go out to the innermost block."""
        entry = self._top
        while entry is not None and entry.reads == 0 and not entry.frame.block:
            entry = entry.outer
        self._top, self.indent, self.recovered = entry, -1, True

    def _open_bracket(self, data: bytes, pos: int, text: bytes) -> None:
        if text != b"{" or not self._is_block(data, pos):
            self._push_bracket(pos, text)
            return
        self._push(FrameKind.BRACKET, pos, text, b"}", block=True)
        if self.indent >= 0:
            self._end_statement(header=True)

    def _is_block(self, data: bytes, pos: int) -> bool:
        """Tell whether statements follow the brace at ``pos``."""
        tail, word, rules = self._tail, self._prev, self._rules
        if rules.literals == "all":
            return False
        if self.indent >= 0 and self._start == self.base + pos:
            return rules.blocks == "brace" or bool(rules.leading_words)  # of Ruby it is a hash
        if rules.literals == "none":
            return True
        if tail in (b"=>", b"->"):
            return True
        if tail[-1:] in _LITERAL_BEFORE and tail:
            return False
        if word in _VALUE_WORDS and (word != b"const" or rules.ends != "semicolon"):
            return False  # behind a method of C++ it is part of its header
        touches = self._end == self.base + pos
        if touches and word and word not in rules.keywords:
            return self._word in rules.compound_words
        return True

    def _close_bracket(self, data: bytes, pos: int, text: bytes) -> int:
        entry = self._top.closed_by(text) if self._top is not None else None
        condition = text == b")" and entry is not None and entry.frame.word in CONDITIONS
        end = self._close(data, pos, text)
        self._condition = condition
        return end

    def _block_word(self, data: bytes, pos: int, end: int, text: bytes, *, opening: bool) -> None:
        """Open or close a block that words make."""
        rules = self._rules
        is_end = text in rules.end_words
        if not is_end and text not in rules.block_words:
            if text in rules.leading_words and opening:
                self._end_statement(header=True)  # a command follows
            return
        touches = self._end == self.base + pos
        if (touches and self._tail[-1:] in b".:" and self._tail) or self._prev == b"def":
            return
        if data[end : end + 1] == b":" and data[end + 1 : end + 2] != b":":
            return  # a key
        if text in rules.loose_words and not (
            opening or self._prev in _LEADING or self._tail[-1:] in b"=(,[{|&!;<+-*/`"
        ):
            return
        if is_end:
            entry = self._top.word if self._top is not None else None
            if entry is not None:
                if self.indent >= 0 and not opening:
                    self.previous = self._statement()
                self._pop_to(entry)
                self._after_block = True
            return
        if text == b"do" and self._word in _LOOPS and self._word in rules.block_words:
            return  # of the loop, which has opened its block already
        self._push(FrameKind.BLOCK, pos, text, next(iter(sorted(rules.end_words))), block=True)
        if text in rules.leading_words:
            self._end_statement(header=True)

    def _endless(self, data: bytes, pos: int) -> None:
        """``def f(x) = …`` (Ruby) opens no block."""
        top = self._top
        if top is None or top.frame.kind is not FrameKind.BLOCK or top.frame.text != b"def":
            return
        if self._tail.endswith(b")") or data[pos - 1 : pos] in (b" ", b"\t"):
            self._top = top.outer  # its statement is the one that is open

    def _branch(self, word: bytes) -> None:
        """Brackets of ``#if`` and ``#else`` are two ways to write one text: only one counts."""
        assert self._directive is not None
        if word in (b"#if", b"#ifdef", b"#ifndef"):
            self._branches = (*self._branches[-63:], self._directive[0])
        elif word in (b"#else", b"#elif", b"#elifdef", b"#elifndef") and self._branches:
            self._directive = self._branches[-1], self._directive[1]
        elif word == b"#endif":
            self._branches = self._branches[:-1]
