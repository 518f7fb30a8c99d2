"""Python as its tokens of code: no comments, no line ends, a string literal in one piece.

Both a whole file and the first words of a model's answer are read by the same lexer
(`completion.syntax`), so that unfinished strings, f-strings of every Python version and text that
does not parse give the same tokens on every machine. Offsets are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from completion.syntax.frames import Frame
from completion.syntax.languages import LANGUAGES
from completion.syntax.lexer import Kind, Lexer
from completion.syntax.rules import PYTHON, PYTHON_KEYWORDS

BOM = b"\xef\xbb\xbf"


class TokenKind(StrEnum):
    """What a token of code is."""

    NAME = "name"
    KEYWORD = "keyword"
    NUMBER = "number"
    STRING = "string"
    OPERATOR = "operator"
    BRACKET = "bracket"


class Token(NamedTuple):
    """One token of code. A tuple, because a tree has millions of them."""

    start: int
    end: int
    kind: TokenKind
    text: bytes
    depth: int
    """Brackets that are open behind it; in a fragment, beyond those that were open before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogicalLine:
    """One statement, or the header of one; a line joined by brackets counts as one."""

    tokens: tuple[Token, ...]
    stop: int
    """Where its line end begins, behind a comment that follows on the line."""

    @property
    def start(self) -> int:
        """Where its first token is."""
        return self.tokens[0].start

    @property
    def end(self) -> int:
        """Behind its last token."""
        return self.tokens[-1].end


class _Lexer(Lexer):
    """Also notes what is open behind each piece, which is what tells where a literal ends."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__(PYTHON)
        self.marks: list[tuple[Frame, ...]] = []

    def _emit(self, start: int, end: int, kind: Kind) -> None:
        before = len(self._pieces or ())
        super()._emit(start, end, kind)
        if len(self._pieces or ()) > before:
            self.marks.append(self.stack)


_KINDS = {
    "number": TokenKind.NUMBER,
    "open": TokenKind.BRACKET,
    "close": TokenKind.BRACKET,
    "operator": TokenKind.OPERATOR,
}
_Event = Token | int | None
"""A token; where a line of text ends; ``None`` where a logical line begins."""


def logical_lines(source: bytes) -> list[LogicalLine] | None:
    """Return the logical lines of a file in order, or ``None`` if it is not Python.

    It is when the grammar accepts it as a whole and nothing is left open at its end. A byte-order
    mark belongs to no token.
    """
    if source.startswith(BOM):
        source = b" " * len(BOM) + source[len(BOM) :]
    if LANGUAGES[0].parser.parse(source).root_node.has_error:
        return None
    lexer = _Lexer()
    found: list[LogicalLine] = []
    tokens: list[Token] = []
    stop = 0

    def close() -> None:
        if tokens:
            found.append(LogicalLine(tokens=tuple(tokens), stop=max(stop, tokens[-1].end)))
            tokens.clear()

    for event in _events(source, lexer):
        if event is None:
            close()
        elif isinstance(event, int):
            stop = event if tokens and not tokens[-1].depth else stop
            if tokens and not tokens[-1].depth and not _joined(source, tokens[-1].end, event):
                close()
        else:
            tokens.append(event)
    stop = len(source)
    close()
    if lexer.stack or lexer.recovered:
        return None
    return found


def first_tokens(fragment: bytes, depth: int, count: int) -> list[Token]:
    """Return the first tokens of a text that goes on behind a cursor, at most ``count``.

    They end with the logical line: at a line end where none of the ``depth`` brackets open at
    the cursor is open any more. A token that the text breaks off in is returned as it stands.
    """
    found: list[Token] = []
    for event in _events(fragment, _Lexer()):
        if isinstance(event, Token):
            found.append(event)
            if len(found) == count:
                break
        elif isinstance(event, int):
            open_here = depth + (found[-1].depth if found else 0)
            if open_here <= 0 and not _joined(fragment, found[-1].end if found else 0, event):
                break
    return found


def _joined(source: bytes, start: int, stop: int) -> bool:
    """Whether the line that ends at ``stop`` goes on: a backslash, and no comment, is last."""
    return source[start:stop].strip() == b"\\"


def _events(source: bytes, lexer: _Lexer) -> list[_Event]:
    """Return tokens, line ends and beginnings of logical lines, literals put together."""
    events: list[_Event] = []
    depth, literal, behind = 0, -1, 0

    def token(start: int, end: int, kind: TokenKind) -> None:
        text = source[start:end]
        events.append(Token(start, end, kind, text, depth))

    known: tuple[Frame, ...] = ()
    in_text = False
    for (start, end, kind), stack in zip(lexer.pieces(source), lexer.marks, strict=True):
        if stack is not known:
            known, in_text = stack, any(frame.is_text for frame in stack)
        if literal >= 0:
            if in_text and not (kind == "eol" and any(frame.one_line for frame in stack)):
                behind = end if kind != "eol" else behind
                continue
            token(literal, end if kind == "string" else behind, TokenKind.STRING)
            literal = -1  # ended by its delimiter, or broken off with its line
            if kind == "string":
                continue
        if kind == "quote":
            literal, behind = start, end
        elif kind == "word":
            keyword = source[start:end] in PYTHON_KEYWORDS
            token(start, end, TokenKind.KEYWORD if keyword else TokenKind.NAME)
        elif kind == "statement":
            events.append(None)
        elif kind == "eol":
            events.append(start)
        elif kind == "string":
            token(start, end, TokenKind.STRING)
        elif kind in _KINDS:
            depth += {"open": 1, "close": -1}.get(kind, 0)
            token(start, end, _KINDS[kind])
    if literal >= 0:
        token(literal, behind, TokenKind.STRING)
    return events
