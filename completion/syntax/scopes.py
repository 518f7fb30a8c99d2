"""What the cursor stands in: code, a comment, a string or a docstring."""

from __future__ import annotations

from completion.syntax.frames import Frame, FrameKind
from completion.syntax.languages import Language
from completion.syntax.lexer import Lexer

CODE, COMMENT, STRING, DOCSTRING = "code", "comment", "string", "docstring"


def scope_at(language: Language | None, source: bytes, offset: int) -> str:
    """Return the scope at ``offset``: "code", "comment", "string" or "docstring".

    Only what is before the offset decides, so text after it that is broken or not yet there
    misleads nothing; the offset may be inside a character. Interpolations of f-strings are code,
    the end of a comment's line is comment. An unknown language is code everywhere.
    """
    if language is None:
        return CODE
    offset = max(0, min(offset, len(source)))
    line = source.rfind(b"\n", 0, offset) + 1
    lexer = Lexer(language.rules)
    lexer.feed(source[:line])
    head = source[line:offset]
    if _splits_opening_quote(source, offset):
        head = head[:-1]  # one quote of the three has already opened the string
    return scope_of(lexer.peek(head))


def scope_of(state: Lexer) -> str:
    """Return the scope of a lexer's state, as :func:`scope_at`."""
    if state.in_comment:
        return COMMENT
    top = state.stack[-1] if state.stack else None
    if top is None or not top.is_text:
        return CODE
    return DOCSTRING if _string_of(state.stack).docstring else STRING


def _string_of(stack: tuple[Frame, ...]) -> Frame:
    return next(frame for frame in reversed(stack) if frame.kind is FrameKind.STRING)


def _splits_opening_quote(source: bytes, offset: int) -> bool:
    """Tell whether two quotes before the cursor and one behind it are an opening ``\"\"\"``."""
    around = source[max(0, offset - 2) : offset + 1]
    return around in (b'"""', b"'''") and source[offset - 3 : offset - 2] not in (b'"', b"'")
