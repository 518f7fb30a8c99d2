"""What the cursor stands in: code, a comment, a string or a docstring.

A docstring is what Python keeps of a definition. Comments that document (``/** … */``, ``///``,
``//!``) are comments: who switches suggestions off in comments means them too.
"""

from __future__ import annotations

from completion.syntax.frames import FrameKind
from completion.syntax.languages import Language
from completion.syntax.lexer import Lexer

CODE, COMMENT, STRING, DOCSTRING = "code", "comment", "string", "docstring"


def scope_at(language: Language | None, source: bytes, offset: int) -> str:
    """Return the scope at ``offset``: "code", "comment", "string" or "docstring".

    Only what is before the offset decides, so text after it that is broken or not yet there
    misleads nothing; the offset may be inside a character. Interpolations are code, the end of a
    comment's line is comment, text between tags is code. An unknown language is code everywhere.
    """
    if language is None:
        return CODE
    offset = max(0, min(offset, len(source)))
    line = source.rfind(b"\n", 0, offset) + 1
    lexer = Lexer(language.rules)
    lexer.feed(source[:line])
    return scope_behind(lexer, source[line:offset], source[offset : offset + 1])


def scope_behind(lexer: Lexer, head: bytes, after: bytes) -> str:
    """Return the scope behind ``head`` of a line whose start ``lexer`` has read up to.

    ``after`` is the byte that follows, if there is one. The lexer stays where it is.
    """
    if _splits_opening_quote(head, after):
        head = head[:-1]  # one quote of the three has already opened the string
    return scope_of(lexer.peek(head))


def scope_of(state: Lexer) -> str:
    """Return the scope of a lexer's state, as :func:`scope_at`."""
    if state.in_comment:
        return COMMENT
    top = state.top
    if top is None or not top.is_text or top.kind is FrameKind.MARKUP:
        return CODE
    if top.quote is not None and top.quote.scope == "code":
        return CODE
    if not top.docstring and top.kind is FrameKind.FORMAT:
        string = next(f for f in reversed(state.stack) if f.kind is FrameKind.STRING)
        return DOCSTRING if string.docstring else STRING
    return DOCSTRING if top.docstring else STRING


def _splits_opening_quote(head: bytes, after: bytes) -> bool:
    """Tell whether two quotes before the cursor and one behind it are an opening ``\"\"\"``."""
    around = head[-2:] + after
    return around in (b'"""', b"'''") and head[-3:-2] not in (b'"', b"'")
