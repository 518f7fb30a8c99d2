"""How far a completion at the cursor may go: to the end of its line, or over a block.

Decided before anything is generated, from the text around the cursor, which may be broken.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from completion.syntax.languages import Language, rules_of
from completion.syntax.lexer import Lexer, columns

CLOSERS = b")]}\"'`"
"""Closing brackets and quotes: the only bytes behind the cursor that do not tie it to its line."""


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


def place_at(language: Language | None, prefix: bytes, suffix: bytes, tab_size: int = 8) -> Place:
    """Read the prefix once and return the cursor's place; everything later starts from it."""
    start = prefix.rfind(b"\n") + 1
    lines = Lexer(rules_of(language), tab_size=tab_size)
    lines.feed(prefix[:start])
    head = prefix[start:]
    end = suffix.find(b"\n")
    rest = (suffix if end < 0 else suffix[:end]).rstrip(b"\r")
    between = not head and bool(rest.strip())
    return Place(
        lines=lines,
        state=lines.peek(head),
        head=head,
        rest=b"" if between else rest,
        between=between,
    )


def extent_at(language: Language | None, prefix: bytes, suffix: bytes) -> Extent:
    """Return how far a completion goes between ``prefix`` and ``suffix``."""
    return extent_of(language, place_at(language, prefix, suffix), suffix)


def extent_of(language: Language | None, place: Place, suffix: bytes, tab_size: int = 8) -> Extent:
    """Return how far a completion at ``place`` goes, as :func:`extent_at`."""
    rules, state = rules_of(language), place.state
    if not rules.indented_blocks:
        return _line("no syntax")
    if state.in_comment:
        return _line("comment")
    if state.stack and state.stack[-1].is_text:
        return _line("string")
    if place.rest.strip(CLOSERS + b" \t"):
        return _line("text after the cursor")
    if state.stack:
        # `hanging` is known once the bracket's line has ended, so never on its own line.
        hanging = state.stack[-1].hanging
        return Extent(reach=Reach.BLOCK, reason="bracket") if hanging else _line("statement")
    if place.rest.strip():
        return _line("text after the cursor")
    if state.indent >= 0:
        if not state.at_header:
            return _line("statement")
        indent, reason = state.indent, "header"
    else:
        before = state.previous
        indent, reason = before.opens if before else -1, "body"
        outdented = place.head and columns(place.head, tab_size) <= indent
        if indent < 0 or outdented:
            return _line("statement start")
    if _next_indent(suffix, place, rules.comment, tab_size) > indent:
        return _line("body exists")
    return Extent(reach=Reach.BLOCK, reason=reason, indent=indent)


def _line(reason: str) -> Extent:
    return Extent(reach=Reach.LINE, reason=reason)


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
        if content and not content.startswith(comment):
            return columns(line[: len(line) - len(content)], tab_size)
        pos = end + 1
    return -1
