"""What a candidate does to the syntax around the cursor: errors with it, against without it.

A window is parsed, not the document, so the cost is a millisecond whatever its size. The window
cuts through what surrounds it, and code that is being written is broken: errors that are there
without the candidate count against none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from completion.filters.cursor import Cursor
from completion.syntax.languages import why_no_grammar

if TYPE_CHECKING:
    from tree_sitter import Parser, TreeCursor

_BEFORE, _AFTER = 2 << 10, 1 << 10
"""Bytes of the window."""
_MOST_NODES = 4096
"""Nodes looked at in one tree; only those with an error inside are entered."""


class Around:
    """The text around one cursor; ask it about each candidate there."""

    def __init__(self, cursor: Cursor) -> None:
        """Take the window. Nothing is parsed before :meth:`added` is asked."""
        before = cursor.before
        cut = len(before) - _BEFORE
        self._before = before[before.find(b"\n", cut) + 1 :] if cut > 0 else before
        after = cursor.suffix[:_AFTER]
        whole = after.rfind(b"\n") + 1
        self._after = after[:whole] if len(after) < len(cursor.suffix) and whole else after
        self._parser: Parser | None = None
        if not why_no_grammar(cursor.language) and cursor.language is not None:
            self._parser = cursor.language.parser
        self._plain: int | None = None

    @property
    def parses(self) -> bool:
        """There is a grammar to ask."""
        return self._parser is not None

    def added(self, text: bytes, replace_after: int = 0) -> int:
        """Return how many errors more there are with ``text`` than without it; below 0: fewer.

        Without a grammar 0.
        """
        if self._parser is None:
            return 0
        if self._plain is None:
            self._plain = _errors(self._parser, self._before + self._after)
        after = self._after[replace_after:]
        return _errors(self._parser, self._before + text + after) - self._plain


def _errors(parser: Parser, source: bytes) -> int:
    """Return how many nodes of the tree are errors or are missing."""
    walk = parser.parse(source).walk()
    found = 0
    for _ in range(_MOST_NODES):
        node = walk.node
        assert node is not None
        found += node.is_error or node.is_missing
        if (node.has_error and walk.goto_first_child()) or walk.goto_next_sibling():
            continue
        if not _up(walk):
            break
    return found


def _up(walk: TreeCursor) -> bool:
    """Go to the next node behind the one that was left; return whether there is one."""
    while walk.goto_parent():
        if walk.goto_next_sibling():
            return True
    return False
