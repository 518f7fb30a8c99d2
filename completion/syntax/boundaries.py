"""How far a completion at the cursor may go: to the end of its line, or over a block.

Decided before anything is generated, from the text around the cursor, which may be broken.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from completion.syntax.closers import Behind, look_behind
from completion.syntax.frames import Frame, FrameKind
from completion.syntax.languages import Language, rules_of
from completion.syntax.lexer import Lexer, columns
from completion.syntax.rules import LexRules

CLOSERS = b")]}\"'`"
"""Closing brackets and quotes: the only bytes behind the cursor that do not tie it to its line."""

_ENDS_HEADER = frozenset(b"else begin do ensure then in".split())
"""Words of headers with nothing behind them, in languages whose blocks words make."""


class Reach(enum.Enum):
    """How far."""

    LINE = "line"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How far a completion goes, and why."""

    reach: Reach
    reason: str
    """"header", "body" or "bracket" for a block; "comment", "string", "text after the cursor",
    "body exists", "statement", "statement start" or "no syntax" for a line."""
    indent: int = -1
    """Columns of the header whose body is to be written; -1 where there is none."""
    body_follows: bool = False
    """The next line with code is further right than the cursor's statement: a header that is
    written here has its body already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The cursor in its document, as everything here and in the filters sees it."""

    lines: Lexer
    """The state after the whole lines before the cursor's."""
    state: Lexer
    """The state at the cursor."""
    head: bytes
    """The cursor's line before the cursor."""
    rest: bytes
    """The cursor's line after it, without the line end; nothing where ``between``."""
    between: bool = False
    """The cursor is at the start of a line that has text: what is written goes before that line,
    as lines of their own."""
    behind: Behind = field(default_factory=Behind)
    """What the text after the cursor closes, in languages whose blocks have closers."""


def place_at(
    language: Language | None,
    prefix: bytes,
    suffix: bytes,
    tab_size: int = 8,
    *,
    truncated: bool = False,
) -> Place:
    """Read the prefix once and return the cursor's place; everything later starts from it.

    ``truncated``: the document goes on behind ``suffix``.
    """
    rules = rules_of(language)
    start = prefix.rfind(b"\n") + 1
    lines = Lexer(rules, tab_size=tab_size)
    lines.feed(prefix[:start])
    head = prefix[start:]
    end = suffix.find(b"\n")
    rest = (suffix if end < 0 else suffix[:end]).rstrip(b"\r")
    between = not head and bool(rest.strip())
    state = lines.peek(head)
    behind = Behind()
    if rules.blocks in ("brace", "end"):
        after = b"\n" + suffix if between else suffix
        behind = look_behind(rules, state, prefix, after, tab_size, truncated=truncated)
    return Place(
        lines=lines,
        state=state,
        head=head,
        rest=b"" if between else rest,
        between=between,
        behind=behind,
    )


def extent_at(language: Language | None, prefix: bytes, suffix: bytes) -> Extent:
    """Return how far a completion goes between ``prefix`` and ``suffix``."""
    return extent_of(language, place_at(language, prefix, suffix), suffix)


def extent_of(language: Language | None, place: Place, suffix: bytes, tab_size: int = 8) -> Extent:
    """Return how far a completion at ``place`` goes, as :func:`extent_at`."""
    rules, state = rules_of(language), place.state
    if language is None or rules.markup == "page":
        return _line("no syntax")
    if state.in_comment:
        return _line("comment")
    if state.stack and state.stack[-1].is_text:
        return _line("string")
    if rules.blocks == "indent":
        return _indented(rules, place, suffix, tab_size)
    if rules.blocks:
        return _structured(rules, place, suffix, tab_size)
    if place.rest.strip(CLOSERS + b" \t") or not state.stack:
        return _line("no syntax")
    return _bracket(state.stack[-1], rules, follows=False)


def _indented(rules: LexRules, place: Place, suffix: bytes, tab_size: int) -> Extent:
    state = place.state
    if place.rest.strip(CLOSERS + b" \t"):
        return _line("text after the cursor")
    next_indent = _next_indent(suffix, place, rules.comment, tab_size)
    if state.stack:
        return _bracket(state.stack[-1], rules, next_indent > state.indent)
    if place.rest.strip():
        return _line("text after the cursor")
    if state.indent >= 0:
        if not state.at_header:
            return _line("statement", next_indent > state.indent)
        indent, reason = state.indent, "header"
    else:
        before = state.previous
        indent, reason = before.opens if before else -1, "body"
        outdented = place.head and columns(place.head, tab_size) <= indent
        if indent < 0 or outdented:
            return _line("statement start", next_indent > columns(place.head, tab_size))
    if next_indent > indent:
        return _line("body exists", next_indent > columns(place.head, tab_size))
    return Extent(reach=Reach.BLOCK, reason=reason, indent=indent)


def _structured(rules: LexRules, place: Place, suffix: bytes, tab_size: int) -> Extent:
    state = place.state
    top = state.top
    rest = place.rest.strip()
    pair = top is not None and top.block and _empty_pair(top, state, rest)
    if rest.strip(CLOSERS + b" \t;,") and not pair:
        return _line("text after the cursor")
    next_indent = _next_indent(suffix, place, rules.comment, tab_size)
    follows = next_indent > columns(_blanks(place.head), tab_size)
    if top is None or (top.block and state.indent >= 0 and not heads(state, top)):
        reason = "statement" if state.indent >= 0 else "statement start"
        return _line(reason, follows)
    if not top.block:
        alone = not rest.strip(CLOSERS + b" \t;,")
        if top.text == b"{" and rest and alone and _empty_pair(top, state, rest):
            return Extent(reach=Reach.BLOCK, reason="bracket")
        return _bracket(top, rules, follows)
    if heads(state, top):
        if state.tail[-1:] not in b")|" and state.last_word not in _ENDS_HEADER:
            return _line("statement", follows)
        reason = "header"
    else:
        before = state.previous
        filled = before is not None and before.start > top.start + len(b"{ ")  # parameters
        if filled and not (before and before.header and rules.blocks == "end"):
            return _line("statement start", follows)
        opens_here = top.start >= state.base - len(place.head)
        reason = "header" if opens_here else "body"
    if not place.behind.empty(top, next_indent, rest):
        return _line("body exists", follows)
    return Extent(reach=Reach.BLOCK, reason=reason, indent=top.indent)


def heads(state: Lexer, block: Frame | None) -> bool:
    """Tell whether the open statement is the header of ``block``, which its own word has opened."""
    if block is None or block.kind is not FrameKind.BLOCK or state.indent < 0:
        return False
    return state.statement_start <= block.start


def _empty_pair(top: Frame, state: Lexer, rest: bytes) -> bool:
    """Tell whether the cursor is between a brace and the one that closes it: ``{|}``."""
    touches = state.tail[-1:] == b"{" and top.text == b"{" and state.code_end == top.start + 1
    return touches and rest.startswith(top.closer)


def _bracket(top: Frame, rules: LexRules, follows: bool) -> Extent:
    # `hanging` is known once the bracket's line has ended, so never on its own line.
    if top.hanging:
        return Extent(reach=Reach.BLOCK, reason="bracket")
    return _line("statement" if rules.blocks else "no syntax", follows)


def _line(reason: str, follows: bool = False) -> Extent:
    return Extent(reach=Reach.LINE, reason=reason, body_follows=follows)


def _blanks(head: bytes) -> bytes:
    return head[: len(head) - len(head.lstrip())]


def next_line_start(suffix: bytes, place: Place) -> int:
    """Return where in ``suffix`` the line after the cursor's begins; -1: there is none."""
    start = 0 if place.between else suffix.find(b"\n") + 1
    return start if place.between or 0 < start < len(suffix) else -1


def _next_indent(after: bytes, place: Place, comment: bytes, tab_size: int) -> int:
    """Return the indentation of the next line with code on it, -1 at the end of the document."""
    pos = next_line_start(after, place)
    while 0 <= pos < len(after):
        end = after.find(b"\n", pos)
        end = end if end >= 0 else len(after)
        line = after[pos:end]
        content = line.lstrip()
        if content and not (comment and content.startswith(comment)):
            return columns(line[: len(line) - len(content)], tab_size)
        pos = end + 1
    return -1
