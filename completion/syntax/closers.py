"""What the text after the cursor closes of what is open at it.

Counting brackets is not enough: a body whose brace is missing would borrow that of the block
around it, and so on to the end of the file. So a closer at the start of its line is the one of
the innermost block that begins at most as far right as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from completion.syntax.frames import Frame
from completion.syntax.lexer import Lexer, columns
from completion.syntax.rules import LexRules

_MAX_LINES, _MAX_BYTES = 400, 16 << 10
"""As far as the text behind the cursor is read; what is open then is taken to be closed later."""
_WORD = re.compile(rb"[\w\x80-\xff]+")
_LABEL = re.compile(rb"[\w\x80-\xff]+[ \t]*:(?!:)")
_UNINDENTED = frozenset((b"namespace", b"extern", b"module"))
"""First words of blocks whose contents need not stand further right."""
_LISTED = re.compile(rb"\b(?:enum|match|struct|union|switch)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What of the open brackets and blocks is closed behind the cursor."""

    closed: tuple[bool, ...] = ()
    """For each frame that is open at the cursor, outermost first."""
    next: bytes = b""
    """The first line with text behind the cursor, blanks around it removed; the rest of the
    cursor's line counts."""
    next_is_middle: bool = False
    """That line goes on with a compound statement: ``else``."""
    listed: bool = False
    """What the innermost block holds is parted by commas: of an enum, a match."""

    def empty(self, top: Frame, next_indent: int, rest: bytes) -> bool:
        """Tell whether nothing stands between the block ``top`` and what closes it.

        ``next_indent`` in columns, of the next line; ``rest`` of the cursor's line.
        """
        if rest:
            return rest.startswith(top.closer)
        return next_indent <= top.indent or self.next[:1] == b"}" or self.next_is_middle


def look_behind(
    rules: LexRules, state: Lexer, prefix: bytes, suffix: bytes, tab_size: int, *, truncated: bool
) -> Behind:
    """Read the text behind the cursor as far as it matters.

    ``state`` is that behind ``prefix``. Cost: that of some 16 KiB at most.
    """
    text = suffix[:_MAX_BYTES]
    found = re.search(rb"\S[^\n]*", text)
    first = found.group().rstrip() if found else b""
    word = _WORD.match(first)
    middle = word is not None and word.group() in rules.middle_words
    stack = state.stack
    listed = False
    if stack and stack[-1].block:
        line = _line_of(prefix, stack[-1].start)
        listed = bool(_LISTED.search(line)) and not line.lstrip().startswith(b"switch")
    closed: list[bool] = []
    if stack and not stack[-1].is_text:
        indents = [_indent_of(prefix, frame, tab_size) for frame in stack]
        closed = _Closing(rules, state, indents, tab_size).read(
            text, whole=not truncated and len(text) == len(suffix)
        )
    return Behind(
        closed=tuple(closed) or (True,) * len(stack),
        next=first,
        next_is_middle=middle,
        listed=listed,
    )


def _line_of(text: bytes, pos: int) -> bytes:
    return text[text.rfind(b"\n", 0, pos) + 1 : pos]


def _indent_of(prefix: bytes, frame: Frame, tab_size: int) -> int:
    if frame.indent >= 0:
        return frame.indent
    line = _line_of(prefix, frame.start)
    return columns(line[: len(line) - len(line.lstrip())], tab_size)


class _Closing:
    """Goes through the lines behind the cursor and settles one frame after another."""

    def __init__(self, rules: LexRules, state: Lexer, indents: list[int], tab_size: int) -> None:
        self._rules = rules
        self._frames = state.stack
        self._starts = [frame.start for frame in state.stack]
        self._lexer = state.copy()
        self._indents = indents
        self._tab = tab_size
        self._left = len(indents)
        """Frames that are not settled yet."""
        self._closed = [True] * len(indents)

    def read(self, text: bytes, *, whole: bool) -> list[bool]:
        """Return for each frame whether ``text`` closes it; ``whole``: nothing follows that."""
        kept = len(self._frames)
        pos = count = 0
        while pos < len(text) and self._left and count < _MAX_LINES:
            end = text.find(b"\n", pos) + 1 or len(text)
            line = text[pos:end]
            if count and self._lexer.depth == kept:
                self._outdented(line)
            self._lexer.feed(line)
            now = self._still()
            if now < kept:
                self._closers(line if count else b"", self._frames[now:kept])
            kept, pos, count = now, end, count + 1
        if pos >= len(text) and whole:
            left = self._left
            self._missing(0)
            self._give_to_outer(left)
        return self._closed

    def _give_to_outer(self, left: int) -> None:
        """Of blocks that begin in one column, as a namespace and what is in it, the outer ones get
        the closers that there are: the innermost was opened last."""
        keys = [(f.closer, i) for f, i in zip(self._frames, self._indents, strict=True)]
        closed: dict[tuple[bytes, int], list[int]] = {}
        for index, key in enumerate(keys):
            if self._closed[index]:
                closed.setdefault(key, []).append(index)
        for outer in range(left):
            inner = closed.get(keys[outer])
            if inner and inner[-1] > outer:
                self._closed[inner.pop()], self._closed[outer] = False, True

    def _still(self) -> int:
        stack = self._lexer.stack
        count = 0
        for frame, start in zip(stack, self._starts, strict=False):
            if frame.start != start:
                break
            count += 1
        return count

    def _missing(self, down_to: int) -> None:
        for index in range(down_to, self._left):
            self._closed[index] = False
        self._left = down_to

    def _outdented(self, line: bytes) -> None:
        """A line of code as far left as an open block's header is not in that block."""
        solid = line.strip()
        if not solid or solid[:1] in b")]}#*/" or _LABEL.match(solid):
            return
        word = _WORD.match(solid)
        if word and word.group() in (self._rules.middle_words | self._rules.end_words):
            return
        width = columns(line[: len(line) - len(line.lstrip())], self._tab)
        left = self._left
        while left:
            frame = self._frames[left - 1]
            if not frame.block or frame.word in _UNINDENTED or width > self._indents[left - 1]:
                break
            left -= 1
        self._missing(left)

    def _closers(self, line: bytes, closing: tuple[Frame, ...]) -> None:
        """Settle what ``closing``, the frames that the lexer saw closed, outermost first, says."""
        solid = line.lstrip()
        word = _WORD.match(solid)
        leads = solid[:1] in b")]}" or (word and word.group() in self._rules.end_words)
        width = columns(line[: len(line) - len(solid)], self._tab) if solid and leads else -1
        for frame in reversed(closing):
            left = self._left
            while left and (
                self._frames[left - 1].closer != frame.closer
                or (0 <= width < self._indents[left - 1])
            ):
                left -= 1
            if not left:
                return  # it closes nothing that is known
            self._missing(left)
            self._left -= 1
            width = -1
