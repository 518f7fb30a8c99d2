"""Which part of a file is typed: one whole function or method of moderate length. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from completion.syntax.languages import language_for

if TYPE_CHECKING:
    from tree_sitter import Node

LEAST, MOST = 400, 700
"""Characters of a function that is typed: some screens of keys, and not a minute of them."""


def region_of(path: str, source: bytes) -> tuple[int, int] | None:
    """Return the byte range of the function that is typed of a file; ``None``: it has none.

    From the start of its first line, decorators taken in, to the end of its last, without the line
    end. Of those between :data:`LEAST` and :data:`MOST` characters, without a syntax error in
    them and with their lines for themselves, a hash of path and place chooses.
    """
    language = language_for("python", path)
    assert language is not None
    found = (
        _lines_of(node, source) for node in _functions(language.parser.parse(source).root_node)
    )
    fitting = [
        place
        for place in found
        if place is not None
        and LEAST <= len(source[place[0] : place[1]].decode("utf-8", "replace")) <= MOST
    ]
    return min(fitting, key=lambda place: _rank(path, place[0]), default=None)


def _functions(root: Node) -> Iterator[Node]:
    """Yield all function definitions, nested ones as well, without recursion."""
    todo = [root]
    while todo:
        node = todo.pop()
        todo += node.children
        if node.type == "function_definition":
            parent = node.parent
            yield parent if parent is not None and parent.type == "decorated_definition" else node


def _lines_of(node: Node, source: bytes) -> tuple[int, int] | None:
    start = source.rfind(b"\n", 0, node.start_byte) + 1
    end = len(source[: node.end_byte].rstrip())
    behind = source[end:].split(b"\n", 1)[0]
    if node.has_error or source[start : node.start_byte].strip() or behind.strip():
        return None
    return start, end


def _rank(path: str, start: int) -> bytes:
    return hashlib.sha256(f"{path}\0{start}".encode("utf-8", "surrogateescape")).digest()
