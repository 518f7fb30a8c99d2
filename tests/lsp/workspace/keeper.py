"""A completion service that keeps workspaces as plain texts, and a client's real objects before it."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from lsprotocol import types

from completion.config import Config
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as pb_grpc
from completion.wire.channel import SERVICE_NAME
from lsp.client import Listener, Service
from lsp.context.folders import Folders
from lsp.documents import Document, Documents
from lsp.positions import Encoding
from lsp.workspace.workspaces import Workspaces

UNTIL_S = 60


@dataclass
class Kept:
    """One workspace as this server has it."""

    texts: dict[str, bytes] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    last: int = 0
    let_go: set[str] = field(default_factory=set)
    next: int = 0
    """The version that must come next; 0: a stream was lost, and nobody knows what with it."""
    forgotten: int = 0
    """The version at which everything was forgotten, as far as a test wanted that."""


class Keeper(pb_grpc.CompletionServiceServicer):
    """Applies changes byte by byte; what breaks the agreement is a fault."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.workspaces: dict[str, Kept] = {}
        self.faults: list[str] = []
        self.closed: list[str] = []
        self.ever: set[bytes] = set()
        """All whole texts and inserted pieces that were ever received."""
        self.received: Counter[str] = Counter()
        """Changes by path."""
        self.edits = 0
        self.streams = 0
        self.refuses: Callable[[str, bytes], str] = lambda path, text: ""
        self.room = 1 << 30
        """Most bytes of a workspace; what came longest ago goes first."""
        self._dropped: list[str] = []
        self.asks_again = 0
        """So many of the next changes are answered with need_resync, and not taken."""
        self.acks = asyncio.Event()
        self.acks.set()
        self.unanswered = 0
        self.max_message_bytes = 0
        self.requests: list[pb.CompleteRequest] = []
        self._news = asyncio.Condition()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        self.epoch = secrets.token_hex(8)
        self._server = grpc.aio.server()
        self._server.add_insecure_port(self.address)
        pb_grpc.add_CompletionServiceServicer_to_server(self, self._server)
        health = health_aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(health, self._server)
        await health.set(SERVICE_NAME, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def restart(self) -> None:
        """Be a new server at the old place, which knows nothing."""
        await self.stop()
        self.workspaces.clear()
        await self.start()

    async def GetModel(self, request, context):
        return pb.Model(name="a test's", max_message_bytes=self.max_message_bytes)

    async def Complete(self, request, context):
        self.requests.append(request)
        return pb.CompleteResponse(candidates=[pb.Candidate(text=b"done")])

    async def StreamComplete(self, request, context):
        self.requests.append(request)
        yield pb.CompleteChunk(text=b"done")
        answer = pb.CompleteResponse(candidates=[pb.Candidate(text=b"done")])
        yield pb.CompleteChunk(done=True, summary=answer)

    async def SyncWorkspace(self, changes, context):
        self.streams += 1
        hello = await anext(changes)
        self._expect(hello == pb.WorkspaceChange(workspace_id=hello.workspace_id), "first message")
        self._expect(len(bytes.fromhex(hello.workspace_id)) >= 16, "id")
        is_new = hello.workspace_id not in self.workspaces
        kept = self.workspaces.setdefault(hello.workspace_id, Kept())
        kept.next = 0
        await self._tell()
        yield pb.WorkspaceState(server_epoch=self.epoch, need_resync=is_new)
        async for change in changes:
            self._expect(change.workspace_id in ("", hello.workspace_id), "another id")
            if change.close:
                del self.workspaces[hello.workspace_id]
                self.closed.append(hello.workspace_id)
                await self._tell()
                return
            self.unanswered += 1
            await self._tell()
            await self.acks.wait()
            self.unanswered -= 1
            state = self._take(kept, change)
            dropped, self._dropped = self._dropped, []
            await self._tell()
            yield state
            for path in dropped:
                state.refused_path, state.refused_reason = path, "newer files took its place"
                yield state

    def _take(self, kept: Kept, change: pb.WorkspaceChange) -> pb.WorkspaceState:
        path, size = change.path, len(change.text)
        self._expect(change.version > kept.last, "versions go up")
        self._expect(change.version == (kept.next or change.version), "versions by one")
        self._expect(bool(path) and not path.startswith(("/", "../")), "path")
        self._expect(bool(size) + bool(change.edits) + change.removed == 1, "one kind of change")
        kept.last, kept.next = change.version, change.version + 1
        self.received[path] += 1
        self.ever |= {change.text, *(edit.text for edit in change.edits)}
        state = pb.WorkspaceState(acked_version=change.version, server_epoch=self.epoch)
        if self.asks_again:
            self.asks_again -= 1
            kept.texts.clear()
            kept.versions.clear()
            kept.forgotten = change.version
            state.need_resync = True
            return state
        if change.removed:
            kept.texts.pop(path, None)
            kept.versions.pop(path, None)
        elif change.edits:
            self.edits += 1
            if path in kept.let_go:
                state.refused_path, state.refused_reason = path, "newer files took its place"
            elif kept.versions.get(path) != change.base_version:
                self._expect(change.base_version <= kept.forgotten, "base version")
                state.need_resync = True
            else:
                text = kept.texts[path]
                for edit in change.edits:
                    self._expect(edit.start <= edit.end <= len(text), "an edit's place")
                    text = text[: edit.start] + edit.text + text[edit.end :]
                self._put(kept, state, change, text)
        else:
            self._put(kept, state, change, change.text)
        state.files = len(kept.texts)
        return state

    def _put(self, kept: Kept, state: pb.WorkspaceState, change, text: bytes) -> None:
        path = change.path
        self._expect(text.decode() != "", "an empty file")
        if reason := self.refuses(path, text):
            state.refused_path, state.refused_reason = path, reason
            kept.texts.pop(path, None)
            kept.versions.pop(path, None)
        else:
            kept.texts.pop(path, None)
            kept.let_go.discard(path)
            kept.texts[path] = text
            kept.versions[path] = change.version
            while sum(map(len, kept.texts.values())) > self.room:
                oldest = next(iter(kept.texts))
                del kept.texts[oldest], kept.versions[oldest]
                kept.let_go.add(oldest)
                self._dropped.append(oldest)

    def _expect(self, is_so: bool, what: str) -> None:
        if not is_so:
            self.faults.append(what)

    @property
    def texts(self) -> Mapping[str, bytes]:
        """The texts of the only workspace there is."""
        return next(iter(self.workspaces.values())).texts if len(self.workspaces) == 1 else {}

    async def until(self, wanted: Callable[[Keeper], object]) -> None:
        """Wait until `wanted` is true; it is asked again with everything that arrives."""
        async with asyncio.timeout(UNTIL_S), self._news:
            await self._news.wait_for(lambda: wanted(self))

    async def has(self, texts: Mapping[str, bytes | str]) -> None:
        """Wait until it has these texts and no others."""
        wanted = {
            path: one.encode() if isinstance(one, str) else one for path, one in texts.items()
        }
        try:
            await self.until(lambda keeper: keeper.texts == wanted)
        except TimeoutError:
            have, names = self.texts, {*self.texts, *wanted}
            wrong = {one: (have.get(one), wanted.get(one)) for one in sorted(names)}
            wrong = {one: pair for one, pair in wrong.items() if pair[0] != pair[1]}
            raise AssertionError(f"it has, and should have: {wrong}") from None

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


class Desk:
    """The language server's own objects around a folder, without its process."""

    def __init__(self, root: Path, keeper: Keeper, config: Config | None = None) -> None:
        self.root = root
        config = config or Config()
        # what is looked up has no part in this
        self.config = replace(config, context=replace(config.context, index=False))
        self.folders = Folders(self.config.context)
        folder = types.WorkspaceFolder(root.as_uri(), root.name)
        self.documents = Documents(
            types.InitializeParams(types.ClientCapabilities(), workspace_folders=[folder]),
            Encoding.UTF8,
        )
        self.workspaces = Workspaces(self.folders.rules_of)
        self.service = Service(address=keeper.address, listener=Listener())

    async def __aenter__(self) -> Desk:
        self.folders.set_roots(self.documents.roots())
        self.workspaces.set_roots(self.documents.roots())
        self.workspaces.configured(self.config)
        self.service.start()
        self.workspaces.connect(self.service)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.workspaces.close()
        await self.service.close()
        self.folders.close()

    @property
    def folder(self):
        """The only folder's copy."""
        ((folder,),) = self.workspaces.folders.values()
        return folder

    def configure(self, config: Config) -> None:
        self.config = replace(config, context=replace(config.context, index=False))
        self.folders.set_config(self.config.context)
        self.workspaces.configured(self.config)

    def open(self, path: str, text: str, language_id: str = "python") -> Document:
        uri = (self.root / path).as_uri()
        self.documents.put_text_document(types.TextDocumentItem(uri, language_id, 1, text))
        document = self.documents.opened(uri)
        assert document is not None
        self.workspaces.changed(self.documents.key(uri), document)
        return document

    def edit(self, document: Document, *changes: Any) -> None:
        for change in changes:
            document.apply_change(change)
        document.end_of_changes()
        self.workspaces.changed(self.documents.key(document.uri), document)

    def close(self, document: Document) -> None:
        self.documents.remove_text_document(document.uri)
        self.workspaces.closed(self.documents.key(document.uri))

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file, as the editor tells of it."""
        whole = self.root / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(text.encode() if isinstance(text, str) else text)
        self.tell(path)

    def tell(self, *paths: str) -> None:
        whole = [os.path.join(self.root, path) for path in paths]  # noqa: PTH118
        self.folders.changed(whole)
        self.workspaces.files_changed(whole)


def replaced(start: tuple[int, int], end: tuple[int, int], text: str) -> Any:
    """A change of a range, in bytes."""
    places = types.Range(types.Position(*start), types.Position(*end))
    return types.TextDocumentContentChangePartial(range=places, text=text)
