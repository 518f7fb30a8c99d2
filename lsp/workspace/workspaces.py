"""All workspace folders' copies at the server: which there are, and which document is in which.

Where there are several servers, each is kept in step by itself; the copies have one id.

What comes here from the editor is a note; whether anything is kept in step at all is decided here,
by the configuration and by where the server is.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from completion.config import Config
from lsp.context.index.wide import is_too_wide
from lsp.documents import Document
from lsp.paths import file_path, root_of
from lsp.workspace.membership import Membership

if TYPE_CHECKING:
    from lsp.client import Service
    from lsp.context.ignore import Rules
    from lsp.replicas import Replicas
    from lsp.workspace.files import Pools
    from lsp.workspace.folder import Folder

log = logging.getLogger("caret.lsp")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a document is."""

    root: str
    path: str
    """Of the file itself, links followed."""
    name: str
    """As the editor has it, absolute."""


class Workspaces:
    """Folders in step with a server, from the event loop only; :meth:`close` it at the end."""

    def __init__(self, rules_of: Callable[[str], Rules]) -> None:
        """Take what returns the rules of a workspace folder."""
        self._rules_of = rules_of
        self._config = Config()
        self._service: Service | Replicas | None = None
        self._roots: list[str] = []
        self._documents: dict[str, Document] = {}
        """Open ones by their key."""
        self._places: weakref.WeakKeyDictionary[Document, _Place | None] = (
            weakref.WeakKeyDictionary()
        )
        self._pools: Pools | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self.folders: dict[str, tuple[Folder, ...]] = {}
        """Those that are kept in step, once for each server."""

    def connect(self, service: Service | Replicas) -> None:
        """Begin with this server."""
        self._service = service
        self._bring_about()

    def set_roots(self, roots: Sequence[str]) -> None:
        """Have these workspace folders."""
        self._roots = [os.path.normpath(root) for root in roots]
        for document in self._documents.values():
            self._leave(document)
        self._places.clear()
        self._bring_about()
        self._all_documents()

    def configured(self, config: Config) -> None:
        """Take another configuration; rules of context may have changed with it."""
        before, self._config = self._config, config
        if before.workspace_model.max_bytes != config.workspace_model.max_bytes:
            self._end(list(self.folders))
        kept = list(self.folders.values())
        self._bring_about()
        if before.context != config.context:
            for folder in chain.from_iterable(kept):
                folder.rules_changed()

    def changed(self, key: str, document: Document) -> None:
        """Take notice that a document was opened or edited; ``key`` is what it is open under."""
        before = self._documents.get(key)
        if before is not None and before is not document:
            self.closed(key)
        if document.is_cell:
            return
        self._documents[key] = document
        self._tell(document)

    def closed(self, key: str) -> None:
        """Take notice that a document was closed."""
        document = self._documents.pop(key, None)
        if document is not None:
            self._leave(document)

    def files_changed(self, paths: Iterable[str]) -> None:
        """Take notice of files that were made, written or removed; ``paths`` are absolute."""
        by_root: dict[str, list[str]] = {}
        for path in paths:
            if root := root_of(path, list(self.folders)):
                by_root.setdefault(root, []).append(
                    os.path.relpath(path, root).replace(os.sep, "/")
                )
        for root, inside in by_root.items():
            for folder in self.folders[root]:
                folder.files_changed(inside)

    def membership(self, document: Document) -> Membership | None:
        """Return what a request for ``document`` says of its workspace; None: nothing, as yet."""
        if not self.folders:
            return None
        place = self._place(document)
        for folder in self.folders.get(place.root, ()) if place is not None else ():
            if place is not None and folder.stream.is_established:
                return Membership(workspace_id=folder.workspace_id, path=place.path)
        return None

    async def close(self) -> None:
        """Let the server forget all folders, and end what runs."""
        self._service = None
        self._bring_about()
        await asyncio.gather(*self._ending, return_exceptions=True)
        if self._pools is not None:
            for pool in (self._pools.reading, self._pools.walking):
                pool.shutdown(wait=False, cancel_futures=True)

    # Which folders there are

    @property
    def _is_on(self) -> bool:
        config, service = self._config, self._service
        if service is None or not (
            config.client.enabled and config.context.enabled and config.workspace_model.enabled
        ):
            return False
        return service.is_local or config.workspace_model.remote

    def _bring_about(self) -> None:
        """Begin and end what is to be."""
        wanted = [root for root in self._roots if not is_too_wide(Path(root))]
        wanted = wanted if self._is_on else []
        self._end([root for root in self.folders if root not in wanted])
        service = self._service
        if service is None or not wanted:
            return
        from lsp.workspace.files import Pools
        from lsp.workspace.folder import ID_BYTES, Folder  # gRPC takes long to import

        if self._pools is None:
            self._pools = Pools(
                reading=ThreadPoolExecutor(1, thread_name_prefix="workspace"),
                walking=ThreadPoolExecutor(1, thread_name_prefix="workspace walk"),
            )
        new = [root for root in wanted if root not in self.folders]
        for root in new:
            workspace_id = secrets.token_hex(ID_BYTES)
            self.folders[root] = tuple(
                Folder(
                    root, link, self._pools,
                    lambda root=root: self._rules_of(root),
                    self._config.workspace_model.max_bytes,
                    workspace_id,
                )
                for link in service.links
            )  # fmt: skip
            for folder in self.folders[root]:
                folder.start()
        if new:
            self._all_documents()

    def _end(self, roots: Iterable[str]) -> None:
        for root in roots:
            for folder in self.folders.pop(root):
                task = asyncio.create_task(folder.close())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)

    # Which document is in which

    def _all_documents(self) -> None:
        for document in self._documents.values():
            self._tell(document)

    def _tell(self, document: Document) -> None:
        place = self._place(document)
        if place is not None and place.root in self.folders:
            for folder in self.folders[place.root]:
                folder.changed(place.path, document, place.name)

    def _leave(self, document: Document) -> None:
        place = self._places.get(document)
        if place is not None and place.root in self.folders:
            for folder in self.folders[place.root]:
                folder.closed(place.path, document)

    def _place(self, document: Document) -> _Place | None:
        if document not in self._places:
            self._places[document] = _placed(document, self._roots)
        return self._places[document]


def _placed(document: Document, roots: Sequence[str]) -> _Place | None:
    """Return where a document is; None: in no folder, or in one only by a link that leads out."""
    name = file_path(document.file_uri)
    root = root_of(name, roots) if name is not None else ""
    if name is None or not root:
        return None
    try:
        inside = os.path.relpath(os.path.realpath(name), os.path.realpath(root))
        inside.encode()
    except (OSError, ValueError):  # also: a name that is no UTF-8
        return None
    path = inside.replace(os.sep, "/")
    return None if path.startswith("../") else _Place(root, path, name)
