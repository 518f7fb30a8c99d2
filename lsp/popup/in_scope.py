"""The names in scope at a place, by the lexer: in every language, in broken code too. Pure.

What a dot is followed by is not known so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from completion.syntax.languages import Language
from completion.syntax.names import names_in_scope
from lsp.popup.names import Name

REACH = 128 << 10
"""Bytes that are read on each side of the place: in more, a list would come too late."""

_KINDS = {
    "definition": "function",
    "parameter": "param",
    "variable": "statement",
    "import": "module",
}
_INDENTED = re.compile(rb"[ \t]")
_NAMES = re.compile(r"[^\W\d]\w*")


def in_scope(language: Language | None, before: bytes, after: bytes) -> tuple[Name, ...]:
    """Return the names that may stand between two texts, the nearest first.

    What is declared on an indented line counts as of the function, anything else as of the file.
    """
    head = before[-REACH:]
    if len(before) > REACH:
        head = head[head.find(b"\n") + 1 :]
    text = head + after[:REACH]
    found: list[Name] = []
    for one in names_in_scope(language, text, len(head)):
        line = text.rfind(b"\n", 0, one.at) + 1
        inner = one.at < len(head) and _INDENTED.match(text, line) is not None
        found.append(
            Name(
                text=one.name.decode("utf-8", "replace"),
                kind=_KINDS[one.kind],
                scope="function" if inner or one.kind == "parameter" else "file",
            )
        )
    return tuple(found)


def nearness(before: bytes, after: bytes) -> Mapping[str, int]:
    """Return for each name used near a place how many others are used nearer before it.

    Names that are used behind it only come last.
    """
    order: dict[str, int] = {}
    words = _NAMES.findall(before[-REACH:].decode("utf-8", "replace"))
    for word in (*reversed(words), *_NAMES.findall(after[:REACH].decode("utf-8", "replace"))):
        order.setdefault(word, len(order))
    return order
