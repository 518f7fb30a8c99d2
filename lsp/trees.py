"""Syntax trees of open documents, made beside the handlers; a keystroke never waits for one.

What a change costs on its path is a note that there was one. The parse runs in a thread of its own
on the lines as they were when it began, reusing the last tree; changes that come meanwhile make
one more parse, of the latest text only, after a rest: parsing takes a third of one core at most.
A long text waits for a pause in the typing: however it is read to, tree-sitter holds the interpreter
for some milliseconds where it goes through a long list of what it knows already.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from completion.syntax.languages import Language
from lsp.positions import wire_bytes

if TYPE_CHECKING:
    from tree_sitter import Parser, Tree

    from lsp.documents import Document

MAX_TREES = 16
"""Documents whose tree is kept, those used last: a tree takes some ten times its text."""

MAX_BYTES = 2 << 20
"""Longest document that is parsed."""

PIECE = 2048
"""Bytes that the parser reads at a time; between them the other threads run."""

PAUSE_S = 5e-5
"""How long the parser lets go of the interpreter between two pieces: long enough for a thread that
waits for it to take it, which after a shorter one may wait on for the switch interval, 5 ms."""

SHORT = 64 << 10
"""Bytes up to which a text is parsed while it is typed in."""

PAUSE_IN_TYPING_S = 0.4
"""Without a change, before a longer one is parsed."""

REST = 2.0
"""Between two parses of a document, in lengths of the last one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """A tree and the text it is of: what the document was at ``epoch``."""

    source: bytes
    tree: Tree
    epoch: int
    language: Language


@dataclass(kw_only=True, slots=True)
class _Entry:
    used: int = 0
    changed: float = 0.0
    """When, by the loop's clock; the opening does not count."""
    parsed: Parsed | None = None
    wanted: bool = False
    running: bool = False
    idle: asyncio.Event = field(default_factory=asyncio.Event)


class Trees:
    """Trees by document. Used from the event loop only; :meth:`close` it at the end."""

    def __init__(self) -> None:
        # weak: a document that is closed goes, and its tree with it
        self._entries: weakref.WeakKeyDictionary[Document, _Entry] = weakref.WeakKeyDictionary()
        self._uses = itertools.count()
        # one thread: two parses side by side would take twice as long each
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="parse")
        self._tasks: set[asyncio.Task[None]] = set()
        self.parses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def changed(self, document: Document, language: Language | None) -> None:
        """Begin to parse ``document`` as it is now; does nothing where it cannot be parsed."""
        if language is None or not language.grammar or document.content.size > MAX_BYTES:
            self.closed(document)
            return
        entry = self._entries.get(document)
        if entry is None:
            entry = self._entries[document] = _Entry(used=next(self._uses))
            if len(self._entries) > MAX_TREES:
                self.closed(min(self._entries, key=lambda one: self._entries[one].used))
        else:
            entry.changed = asyncio.get_running_loop().time()
        entry.used = next(self._uses)
        entry.wanted = True
        if not entry.running:
            entry.running = True
            entry.idle.clear()
            task = asyncio.get_running_loop().create_task(self._parse(document, entry, language))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def closed(self, document: Document) -> None:
        """Forget ``document``."""
        self._entries.pop(document, None)

    def latest(self, document: Document) -> Parsed | None:
        """Return the last tree, which may be of an older text."""
        entry = self._entries.get(document)
        return entry.parsed if entry is not None else None

    def fresh(self, document: Document) -> Parsed | None:
        """Return the tree of the text as it is, or None while there is none."""
        parsed = self.latest(document)
        return parsed if parsed is not None and parsed.epoch == document.epoch else None

    async def settled(self, document: Document) -> Parsed | None:
        """Wait until nothing is being parsed, then return as :meth:`fresh`."""
        entry = self._entries.get(document)
        if entry is not None and entry.running:
            await entry.idle.wait()
        return self.fresh(document)

    def close(self) -> None:
        """End the thread, when its parse is done, and forget everything."""
        for task in self._tasks:
            task.cancel()
        self._entries.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _parse(self, document: Document, entry: _Entry, language: Language) -> None:
        loop = asyncio.get_running_loop()
        try:
            while entry.wanted and self._entries.get(document) is entry:
                if document.content.size > SHORT:
                    while (left := entry.changed + PAUSE_IN_TYPING_S - loop.time()) > 0:
                        await asyncio.sleep(left)
                entry.wanted = False
                epoch, lines = document.epoch, list(document.content.lines)
                started = loop.time()
                found = await loop.run_in_executor(
                    self._pool, parse, language, lines, epoch, entry.parsed
                )
                self.parses += 1
                entry.parsed = found or entry.parsed
                if entry.wanted:
                    await asyncio.sleep(REST * (loop.time() - started))
        finally:
            entry.running = False
            entry.idle.set()


def parse(
    language: Language, lines: Sequence[str], epoch: int, old: Parsed | None
) -> Parsed | None:
    """Return the tree of ``lines``; None where the grammar is missing.

    The old tree is reused while the text has no errors. In broken text what tree-sitter makes of a
    place depends on what it reused, so a tree with errors is made anew: the same text then always
    has the same tree.
    """
    try:
        parser = _own_parser(language)
    except (ImportError, ValueError, TypeError, AttributeError, OSError):
        return None
    source = wire_bytes("".join(lines))
    tree = None
    if old is not None and old.language is language:
        if old.source == source:
            return Parsed(source=source, tree=old.tree, epoch=epoch, language=language)
        if not old.tree.root_node.has_error:
            tree = read_in_pieces(parser, source, edited(old, source))
    if tree is None or tree.root_node.has_error:
        tree = read_in_pieces(parser, source)
    return Parsed(source=source, tree=tree, epoch=epoch, language=language)


def edited(old: Parsed, source: bytes) -> Tree:
    """Return a copy of the old tree that knows which bytes of ``source`` are new to it.

    One piece from the first byte that differs to the last: found by comparing memory, which is so
    quick that edits need not be kept one by one.
    """
    before = old.source
    most = min(len(before), len(source))
    start = _common(most, lambda n: before[:n] == source[:n])
    same = _common(most - start, lambda n: before[len(before) - n :] == source[len(source) - n :])
    tree = old.tree.copy()
    tree.edit(
        start_byte=start,
        old_end_byte=len(before) - same,
        new_end_byte=len(source) - same,
        start_point=_point(source, start),
        old_end_point=_point(before, len(before) - same),
        new_end_point=_point(source, len(source) - same),
    )
    return tree


def _common(most: int, holds: Callable[[int], bool]) -> int:
    """Return the largest number up to ``most`` that ``holds`` is true of, as of all below it."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _point(source: bytes, offset: int) -> tuple[int, int]:
    """Return the row and the byte column of ``offset``."""
    return source.count(b"\n", 0, offset), offset - source.rfind(b"\n", 0, offset) - 1


@functools.lru_cache(maxsize=32)
def _own_parser(language: Language) -> Parser:
    """Return a parser that no other thread uses: it lets go of the interpreter while it works."""
    import tree_sitter

    return tree_sitter.Parser(language.parser.language)


def read_in_pieces(parser: Parser, source: bytes, old: Tree | None = None) -> Tree:
    """Return the tree of ``source``; other threads run meanwhile. ``parser`` is nobody else's."""

    def piece(offset: int, point: object) -> bytes:
        # tree-sitter holds the interpreter while it parses, but for here
        time.sleep(PAUSE_S)
        return source[offset : offset + PIECE]

    # a tree that was edited and one of nothing are asked for in different ways
    return parser.parse(piece) if old is None else parser.parse(piece, old)
