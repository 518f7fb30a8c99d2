"""What is known of an open document's syntax while it is edited: scope at a place, names, tree.

One for a server. Nothing here costs a keystroke more than the line it happens in; the rest is read
between messages, or parsed beside them.
"""

from __future__ import annotations

import asyncio
import weakref

from completion.syntax.languages import Language, language_for
from lsp.documents import Document
from lsp.lexed import LexedLines
from lsp.notebooks import CELL_MAGIC, LINE_MAGIC
from lsp.trees import Parsed, Trees

MAX_LEXED = 2 << 20
"""Longest document that is read, in bytes; beyond, no scope is known."""


class Syntax:
    """Syntax of open documents, from the event loop only; :meth:`close` it at the end."""

    def __init__(self) -> None:
        self._lexed: weakref.WeakKeyDictionary[Document, tuple[Language, LexedLines]] = (
            weakref.WeakKeyDictionary()
        )
        self._reading: weakref.WeakSet[Document] = weakref.WeakSet()
        self.trees = Trees()

    def language(self, document: Document) -> Language | None:
        """Return the language that the document is in; of a cell, what its magic says."""
        return language_for(document.language_in_use, document.file_uri)

    def scope(self, document: Document, line: int, column: int) -> str:
        """Return "code", "comment", "string" or "docstring"; nothing where it is not known."""
        lexed = self._lines(document)
        return lexed.scope(document.content.lines, line, column) if lexed is not None else ""

    def changed(self, document: Document) -> None:
        """Take notice that ``document`` was opened or has changed."""
        self.trees.changed(document, self.language(document))
        if document not in self._reading and self._lines(document) is not None:
            self._reading.add(document)
            asyncio.get_running_loop().call_soon(self._read_on, weakref.ref(document))

    def closed(self, document: Document) -> None:
        """Forget ``document``."""
        self._reading.discard(document)
        self._lexed.pop(document, None)
        self.trees.closed(document)

    def tree(self, document: Document) -> Parsed | None:
        """Return the tree of the text as it is, or None while there is none."""
        return self.trees.fresh(document)

    def latest(self, document: Document) -> Parsed | None:
        """Return the last tree, which may be of an older text."""
        return self.trees.latest(document)

    def close(self) -> None:
        """End what runs."""
        self._reading.clear()
        self.trees.close()

    def _lines(self, document: Document) -> LexedLines | None:
        language = self.language(document)
        known = self._lexed.get(document)
        if known is not None and known[0] is language:
            return known[1] if document.content.size <= MAX_LEXED else None
        if known is not None:
            document.followers.remove(known[1])
            del self._lexed[document]
        if language is None or document.content.size > MAX_LEXED:
            return None
        not_code = None
        if document.is_cell:
            not_code = LINE_MAGIC if language.name == "python" else CELL_MAGIC
        lexed = LexedLines(language, not_code=not_code)
        document.followers.append(lexed)
        self._lexed[document] = (language, lexed)
        return lexed

    def _read_on(self, reference: weakref.ref[Document]) -> None:
        """Read one step, and let what has come meanwhile be handled before the next."""
        document = reference()
        if document is None or document not in self._reading:
            return
        lexed = self._lines(document)
        if lexed is not None and lexed.read_on(document.content.lines):
            asyncio.get_running_loop().call_soon(self._read_on, reference)
        else:
            self._reading.discard(document)
