"""A parsed document and where its nodes stand in it, in characters.

Pure. ``ast`` counts lines and UTF-8 bytes; everything that is drawn or labelled here counts
characters of the document.
"""

from __future__ import annotations

import ast
import warnings

Span = tuple[int, int]
"""Character offsets of a stretch, its end not included."""

Placed = ast.stmt | ast.expr | ast.arg | ast.keyword | ast.alias
"""The nodes that know where they stand."""


def parse_module(text: str) -> ast.Module | None:
    """Return the syntax tree of ``text``, or ``None`` where it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Places:
    """Offsets of the nodes of one document."""

    __slots__ = ("_ascii", "_lines", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = _line_starts(text)
        self._ascii = text.isascii()

    def start(self, node: Placed) -> int:
        """Return the offset of the node's first character."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: Placed) -> int:
        """Return the offset behind the node's last character."""
        if node.end_lineno is None or node.end_col_offset is None:
            return self.start(node)
        return self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        """The character at a 1-based line and a column in UTF-8 bytes, as ``ast`` counts."""
        start = self._lines[line - 1]
        if self._ascii:
            return start + column
        stop = self._lines[line] if line < len(self._lines) else len(self.text)
        head = self.text[start:stop].encode("utf-8")[:column]
        return start + len(head.decode("utf-8", "ignore"))


def _line_starts(text: str) -> list[int]:
    """Starts of lines as Python's parser counts them: after ``\\n``, ``\\r\\n`` and ``\\r``."""
    starts, at = [0], 0
    for line in text.split("\n"):
        inner = line[:-1] if line.endswith("\r") else line
        for i, character in enumerate(inner) if "\r" in inner else ():
            if character == "\r":
                starts.append(at + i + 1)
        at += len(line) + 1
        starts.append(at)
    return starts[:-1]
