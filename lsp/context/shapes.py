"""What the files of a workspace define, parsed when asked and kept for a while.

The parser is read to in pieces, as for open documents: it would else hold the interpreter for the
length of a parse, and with it a keystroke.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from completion.syntax.definitions import Definition, definitions_below
from completion.syntax.languages import Language
from lsp.context.found import Text
from lsp.trees import read_in_pieces

if TYPE_CHECKING:
    from tree_sitter import Parser

MAX_BYTES = 256 << 10
"""Larger files are tables or generated; parsing them takes longer than anyone waits."""
MAX_KEPT = 128
"""Files of which the definitions are kept: places and names, no text."""


class Shapes:
    """Definitions by file. May be asked from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], tuple[Definition, ...]] = OrderedDict()
        self._lock = threading.Lock()
        self._own = threading.local()

    def of(self, text: Text) -> tuple[Definition, ...]:
        """Return what ``text`` defines; nothing where it cannot be parsed here."""
        language = text.language
        if language is None or not language.grammar or len(text.data) > MAX_BYTES:
            return ()
        key = (text.path, len(text.data), hash(text.data))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        try:
            tree = text.tree or read_in_pieces(self._parser(language), text.data)
        except (ImportError, ValueError, TypeError, AttributeError, OSError):
            return ()  # without its grammar a language has no definitions here
        found = tuple(definitions_below(tree.root_node, text.data))
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return found

    def _parser(self, language: Language) -> Parser:
        """Return a parser that no other thread uses."""
        import tree_sitter

        kept: dict[str, Parser] | None = getattr(self._own, "parsers", None)
        if kept is None:
            kept = self._own.parsers = {}
        if language.grammar not in kept:
            kept[language.grammar] = tree_sitter.Parser(language.parser.language)
        return kept[language.grammar]
