"""The names used near a cursor, the nearest first: what a completion there is likely about.

Read by the lexer, which needs no whole program: comments and strings do not count.
"""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass

from completion.syntax.languages import rules_of
from completion.syntax.lexer import Lexer
from lsp.context.found import Spot, line_end, line_start

LINES_BEFORE = 24
LINES_AFTER = 6
MAX_BYTES = 8 << 10
"""Most that is read, before the cursor and after it."""
RUN_UP = 64 << 10
"""Bytes above that the lexer reads first, to know whether a docstring or a comment is open."""
MAX_NAMES = 48

AFTER = 2.0
"""How much further away a line below counts: what is written next goes on from above."""

_NAME = re.compile(rb"[^\W\d][\w$]*|[\w$\x80-\xff]*[\x80-\xff][\w$\x80-\xff]*")
_DOTTED = re.compile(rb"([\w$.\x80-\xff]*[\w$\x80-\xff]\s*(?:\.|->|::|\?\.)\s*)\Z")
_LITTLE = frozenset(b"self this cls super null nil undefined true false".split())
_PYTHON = frozenset(name.encode() for name in (*keyword.kwlist, *dir(builtins)))
"""Names that stand alone in Python and are nobody's; jedi need not be asked about them."""

EVERYWHERE = frozenset(
    b"add append apply at call clear close clone concat contains copy count create decode delete "
    b"each emit encode end equals extend filter find first flush forEach format from get has hash "
    b"includes index indexOf init insert into is_empty isEmpty items iter join keys last len length "
    b"lower map match max min name new next of on open parse pop print push put read reduce remove "
    b"replace reverse run search set shape size slice sort split start startsWith startswith stop "
    b"strip sum then toString to_string trim type unwrap update upper value values wait with write "
    b"zip".split()
)
"""Members of what every language brings along: of whom they are here, their names do not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """A name that stands near the cursor."""

    name: bytes
    at: int
    """Where, in bytes of the spot's text: the nearest place."""
    owner: bytes
    """What stands before it with the dot or its like: ``self.``; nothing for a name alone."""


def uses_near(spot: Spot) -> list[Use]:
    """Return the names around the cursor, each once, the nearest first.

    The word that the cursor is in or right behind comes last of its line: it may be half of a name.
    """
    start, end = _reach(spot.text, spot.offset)
    rules = rules_of(spot.language)
    is_python = spot.language is not None and spot.language.name == "python"
    area = spot.text[start:end]
    cursor = spot.offset - start
    row = area.count(b"\n", 0, cursor)
    ranked: list[tuple[float, int, Use]] = []
    line = read = 0
    lexer = Lexer(rules)
    lexer.feed(spot.text[line_start(spot.text, max(0, start - RUN_UP)) : start])
    base = lexer.base
    for piece in lexer.pieces(area):
        first, last, kind = piece[0] - base, piece[1] - base, piece[2]
        if kind != "word":
            continue
        name = area[first:last]
        if not _NAME.fullmatch(name) or len(name) < 2 or name in _LITTLE:
            continue
        if name in rules.compound_words or name in rules.statement_words:
            continue
        owner = _owner(area, first)
        if is_python and not owner and name in _PYTHON:
            continue
        line += area.count(b"\n", read, first)
        read = first
        away = float(row - line) if line <= row else AFTER * (line - row)
        away += 0.5 if first <= cursor <= last else 0.0
        # of one line, what is nearer before the cursor comes first
        near = cursor - first if first <= cursor else first - cursor + len(area)
        use = Use(name=name, at=start + first, owner=owner)
        ranked.append((away, near, use))
    ranked.sort(key=lambda one: one[:2])
    found: dict[bytes, Use] = {}
    for _, _, use in ranked:
        found.setdefault(use.name, use)
        if len(found) == MAX_NAMES:
            break
    return list(found.values())


def _reach(text: bytes, offset: int) -> tuple[int, int]:
    """Return the whole lines around ``offset`` that are read."""
    start = line_start(text, offset)
    for _ in range(LINES_BEFORE):
        if start == 0 or offset - start > MAX_BYTES:
            break
        start = line_start(text, start - 1)
    end = line_end(text, offset)
    for _ in range(LINES_AFTER):
        if end >= len(text) or end - offset > MAX_BYTES:
            break
        end = line_end(text, end + 1)
    start = max(start, offset - 2 * MAX_BYTES)  # within one long line
    return start, min(end, offset + 2 * MAX_BYTES)


def _owner(area: bytes, first: int) -> bytes:
    found = _DOTTED.search(area, max(0, first - 80), first)
    return found.group(1) if found else b""
