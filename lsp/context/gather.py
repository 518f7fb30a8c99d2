"""Snippets for the language server: gathered beside it, taken at once.

What an edit, a view or a request costs here is a note that it happened. The gathering runs in
threads, one at a time, on the documents as they were when it began; a request takes what the last
one found. Between two of them there is a rest, so that gathering takes a third of one core at most.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from completion.config import ContextConfig
from completion.syntax.languages import language_for
from completion.wire import completion_pb2 as pb
from lsp.context.budget import CELLS_SHARE, fitting_cells
from lsp.context.collect import Gathered
from lsp.context.definitions import Lookup, Target
from lsp.context.found import Spot
from lsp.context.ignore import IGNORE_FILES
from lsp.context.recent import Edits
from lsp.context.steps import Steps
from lsp.context.texts import Kept, OpenText, Texts, one_line_end
from lsp.context.viewed import Ring
from lsp.context.workspace import Seen, WorkspaceContext
from lsp.documents import Document, Splice
from lsp.paths import file_path, locate, root_of

if TYPE_CHECKING:
    from lsp.context.ignore import Rules
    from lsp.context.index import Place, Stats
    from lsp.trees import Parsed

log = logging.getLogger("caret.lsp")

REST = 2.0
"""Between two gatherings, in lengths of the last one, its waiting for jedi included."""
LEAST_REST_S = 0.1
FAR = 40
"""Lines: a gathering for a place this far from where the cursor is now is given up."""

Cells = Callable[[Document], Sequence[pb.Snippet]]
"""Returns the other cells of the notebook that a document is a cell of."""


class Workspaces(Protocol):
    """What :class:`lsp.context.folders.Folders` promises."""

    def rules_of(self, root: str) -> Rules:
        """Return the rules of a workspace folder."""
        ...

    def definitions(self, name: bytes, limit: int, near: str) -> Sequence[Place]:
        """Return where ``name`` is defined, places near to an absolute path first."""
        ...

    def stats(self) -> Mapping[str, Stats]:
        """Return how far each folder's index is."""
        ...


@dataclass(kw_only=True, slots=True)
class _State:
    """What is known of one open document."""

    root: str
    path: str
    steps: Steps = field(default_factory=Steps)
    kept: Kept = field(default_factory=Kept)
    lines: tuple[int, tuple[str, ...]] = (-1, ())
    """The lines at an epoch."""
    done: tuple[int, int] = (-1, -1)
    """Epoch and line of the last gathering."""
    provisional: bool = False
    """It lacked something that may be known next time."""
    gathered: Gathered = field(default_factory=Gathered)


class _Watch:
    """Follows a document's edits."""

    def __init__(self, state: _State, edits_of: Callable[[str], Edits]) -> None:
        self._state, self._edits_of = state, edits_of

    def spliced(self, splice: Splice) -> None:
        self._edits_of(self._state.root).edited(self._state.path, splice)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    document: Document
    line: int
    column: int


class Gatherer:
    """Gathers for open documents. From the event loop only; :meth:`close` it at the end."""

    def __init__(
        self,
        workspaces: Workspaces,
        config: ContextConfig,
        *,
        roots: Callable[[], Sequence[str]],
        is_open: Callable[[Document], bool] = lambda document: True,
        cells: Cells = lambda document: (),
        tree_of: Callable[[Document], Parsed | None] = lambda document: None,
        told: Callable[[Document, Gathered], None] = lambda document, gathered: None,
    ) -> None:
        """Take the workspace folders; ``told`` is called with each thing gathered.

        ``tree_of`` returns the tree of a document as it is now, where there is one already.
        """
        self._workspaces, self._roots = workspaces, roots
        self._is_open, self._cells, self._told = is_open, cells, told
        self._tree_of = tree_of
        self._config = config
        self._states: weakref.WeakKeyDictionary[Document, _State] = weakref.WeakKeyDictionary()
        self._recent: list[weakref.ref[Document]] = []
        """Open documents, the one used last first."""
        self._contexts: dict[str, WorkspaceContext] = {}
        self._edits: dict[str, Edits] = {}
        self._rings: dict[str, Ring] = {}
        self._wanted: _Wanted | None = None
        self._running: _Wanted | None = None
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="gather")
        self._task: asyncio.Task[None] | None = None
        self.gatherings = 0

    def opened(self, document: Document) -> None:
        """Take notice that ``document`` is open."""
        state = self._state(document)
        if state is not None and not document.is_cell:
            document.followers.append(_Watch(state, self._edits_of))
        self._used(document)

    def viewed(self, document: Document, line: int) -> None:
        """Take notice that ``line`` of ``document`` is looked at."""
        state = self._state(document)
        if state is not None and not document.is_cell:
            self._ring_of(state.root).looked(state.path, line)
        self._used(document)

    def changed_on_disk(self, paths: Iterable[str]) -> None:
        """Take notice that files were written: by others, where they were edited says nothing."""
        paths = list(paths)
        if any(Path(path).name in IGNORE_FILES for path in paths):
            self.forget()
        roots = self._roots()
        open_now = {(state.root, state.path) for state in self._states.values()}
        for path in paths:
            root = root_of(path, roots)
            inside = locate(Path(path).as_uri(), roots)[0] if root else ""
            if root and (root, inside) not in open_now and root in self._edits:
                self._edits[root].forget(inside)

    def configured(self, config: ContextConfig) -> None:
        """Take another configuration; what was gathered under the old one is not sent any more."""
        if config != self._config:
            self._config = config
            self.forget()

    def forget(self) -> None:
        """Send nothing of what was gathered: rules or folders are others now."""
        for context in self._contexts.values():
            context.close()
        self._contexts.clear()
        for document in list(self._states):
            self._states[document].steps.forget()
            fresh = self._placed(document)
            if fresh is None:
                del self._states[document]
            else:
                self._states[document].root, self._states[document].path = fresh
                self._states[document].done = (-1, -1)
        self._stopped.set()

    def snippets_for(self, document: Document, line: int, column: int) -> tuple[pb.Snippet, ...]:
        """Return what is ready for a cursor, and begin to gather for it. Does not wait.

        ``line`` and ``column`` count lines and code points.
        """
        if not self._config.enabled:
            return ()
        cells: Sequence[pb.Snippet] = ()
        if document.is_cell and self._config.sibling_cells:
            # they are at hand, and what is written in one cell goes on from the others
            cells = fitting_cells(self._cells(document), self._config.max_bytes)[0]
        self.viewed(document, line)
        state = self._states.get(document)
        if state is None:
            return tuple(cells)
        if state.provisional or state.done != (document.epoch, line):
            self._want(_Wanted(document=document, line=line, column=column))
        return (*state.steps.take(line, time.monotonic()), *cells)

    def gathered(self, document: Document) -> Gathered:
        """Return what was gathered last for ``document``."""
        state = self._states.get(document)
        return state.gathered if state is not None else Gathered()

    def close(self) -> None:
        """End what runs."""
        self._wanted = None
        self._stopped.set()
        if self._task is not None:
            self._task.cancel()
        for context in self._contexts.values():
            context.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _want(self, wanted: _Wanted) -> None:
        self._wanted = wanted
        running = self._running
        if running is not None and (
            running.document is not wanted.document or abs(running.line - wanted.line) >= FAR
        ):
            self._stopped.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._gather())

    async def _gather(self) -> None:
        loop = asyncio.get_running_loop()
        while self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            state = self._states.get(wanted.document)
            if state is None or not self._is_open(wanted.document):
                continue
            self._running, self._stopped = wanted, threading.Event()
            started = loop.time()
            try:
                work = self._prepared(wanted, state)
                epoch = wanted.document.epoch
                # before and after: an index that is done meanwhile was not when it was asked
                indexing = self._is_indexing(state.root)
                gathered = await loop.run_in_executor(self._pool, work)
            except Exception as error:  # whatever it is, the next request tries anew
                log.warning("context was not gathered (%s)", type(error).__name__)
                continue
            finally:
                self._running = None
            if self._stopped.is_set():
                continue
            self.gatherings += 1
            state.done = (epoch, wanted.line)
            state.gathered = gathered
            state.provisional = bool(gathered.failed) or indexing or self._is_indexing(state.root)
            state.steps.offer(gathered.snippets, provisional=state.provisional)
            self._told(wanted.document, gathered)
            await asyncio.sleep(max(LEAST_REST_S, REST * (loop.time() - started)))

    def _prepared(self, wanted: _Wanted, state: _State) -> Callable[[], Gathered]:
        """Return the gathering as one call for a thread, with everything as it is now."""
        document, config, stopped = wanted.document, self._config, self._stopped
        context = self._context_of(state.root)
        opened = self._opened_in(state.root)
        seen = Seen(
            opened=tuple(opened),
            hunks=self._edits_of(state.root).hunks(),
            views=self._ring_of(state.root).views(),
        )
        lines = self._lines(document, state)
        language = language_for(document.language_in_use, document.file_uri)
        room = config.max_bytes
        if document.is_cell and config.sibling_cells:
            room -= int(room * CELLS_SHARE)

        # the text may have lost lines since it was asked for
        line = min(wanted.line, len(lines) - 1)

        def work() -> Gathered:
            before = "".join(lines[:line]) + lines[line][: wanted.column]
            after = lines[line][wanted.column :] + "".join(lines[line + 1 :])
            head = one_line_end(before.encode("utf-8", "replace"))
            spot = Spot(
                path=state.path,
                language=language,
                text=head + one_line_end(after.encode("utf-8", "replace")),
                offset=len(head),
            )
            return context.collector.collect(
                spot,
                context.sources(config, seen),
                Texts(context.disk, opened),
                max_bytes=room,
                stopped=stopped,
            )

        return work

    def _opened_in(self, root: str) -> Mapping[str, OpenText]:
        """Return the open documents of a folder by path, the one used last first."""
        out: dict[str, OpenText] = {}
        for reference in self._recent:
            document = reference()
            state = self._states.get(document) if document is not None else None
            if document is None or state is None or state.root != root or document.is_cell:
                continue
            if not self._is_open(document):
                continue
            out[state.path] = OpenText(
                language=language_for(document.language_in_use, document.file_uri),
                lines=self._lines(document, state),
                epoch=document.epoch,
                kept=state.kept,
                parsed=self._tree_of(document),
            )
        return out

    def _lines(self, document: Document, state: _State) -> tuple[str, ...]:
        if state.lines[0] != document.epoch:
            state.lines = (document.epoch, tuple(document.content.lines))
        return state.lines[1]

    def _state(self, document: Document) -> _State | None:
        """Return what is known of a document; None: it is outside of the workspace."""
        state = self._states.get(document)
        if state is None and (placed := self._placed(document)) is not None:
            state = self._states[document] = _State(root=placed[0], path=placed[1])
        return state

    def _placed(self, document: Document) -> tuple[str, str] | None:
        """Return folder and path; without any folder, documents are together in none."""
        roots = self._roots()
        path = file_path(document.file_uri)
        root = root_of(path, roots) if path is not None else ""
        if roots and not root:
            return None
        return root, locate(document.file_uri, roots)[0]

    def _used(self, document: Document) -> None:
        if self._recent and self._recent[0]() is document:
            return
        kept = [one for one in self._recent if one() not in (None, document)]
        self._recent = [weakref.ref(document), *kept]

    def _context_of(self, root: str) -> WorkspaceContext:
        context = self._contexts.get(root)
        if context is None:
            if root:
                folder = Path(root)
                context = WorkspaceContext(
                    folder, self._workspaces.rules_of(root), self._lookup(folder)
                )
            else:
                context = WorkspaceContext(None)
            self._contexts[root] = context
        return context

    def _lookup(self, root: Path) -> Lookup:
        def lookup(name: bytes, limit: int, near: str) -> list[Target]:
            places = self._workspaces.definitions(name, limit, str(root / near))
            return [
                Target(place.path, at=place.at, member=place.member)
                for place in places
                if Path(place.root) == root
            ]

        return lookup

    def _is_indexing(self, root: str) -> bool:
        stats = self._workspaces.stats().get(root)
        return stats is not None and stats.state in ("starting", "indexing")

    def _edits_of(self, root: str) -> Edits:
        return self._edits.setdefault(root, Edits())

    def _ring_of(self, root: str) -> Ring:
        return self._rings.setdefault(root, Ring())
