"""The handlers of `caret lsp`: each takes what it needs of a request and calls what does the work.

Knows LSP; decides nothing about text, models or processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from completion.config import ClientConfig, Config
from completion.config_sources import load
from lsp import inline, near, notebooks, settings, timings, watching
from lsp.completing import complete, cursor_moved, wants
from lsp.context.folders import Folders
from lsp.context.gather import Gatherer
from lsp.context.masking import Hidden
from lsp.context.notebooks import sibling_cells
from lsp.context.secrets import secrets_in
from lsp.context.told import described
from lsp.documents import Document, Documents
from lsp.explaining import register as register_explaining
from lsp.feedback.feedback import Feedback
from lsp.feedback.handlers import register as register_feedback
from lsp.keystrokes.actions import Policy
from lsp.paths import file_path, locate
from lsp.permission import Permission
from lsp.popup.offer import TRIGGERS, offer, warm
from lsp.popup.popup import Popup
from lsp.protocol import Protocol, describe, silence_pygls
from lsp.suggesting import Suggesting
from lsp.syntax import Syntax
from lsp.workspace.workspaces import Workspaces

if TYPE_CHECKING:
    from completion.wire import completion_pb2 as pb
    from lsp.client import Service
    from lsp.context.collect import Gathered
    from lsp.feedback.events import Event
    from lsp.feedback.sharing import Sharing
    from lsp.progress import LoadingProgress
    from lsp.replicas import Replicas

log = logging.getLogger("caret.lsp")

NAME = "caret"
TIMINGS = "caret/timings"
"""The notification of where the model's time went, once its answer is whole, to a client with the
capability ``caretTimings``."""
CONTEXT = "caret/context"
"""The notification of what was gathered, to a client with the capability ``caretContext``."""
CURSOR_MOVED = "caret/cursorMoved"
"""A notification of ours: the cursor was put somewhere, by no edit."""
VERSION = "0.1.0"
_PULL_S = 0.5
"""How long a completion waits for settings that the editor was asked for, in seconds."""


class Server(LanguageServer):
    """One client's language server: its documents, its configuration, its service."""

    protocol: Protocol  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(
        self, *, address: str = "", serve_args: Sequence[str] = (), own_server: bool = False
    ) -> None:
        silence_pygls()
        super().__init__(
            NAME, VERSION, protocol_cls=Protocol, notebook_document_sync=notebooks.SYNC
        )
        self._address = address
        self._serve_args = tuple(serve_args)
        self._own_server = own_server
        self._base = Config()
        self.initial_settings: Any = None
        self.config: ClientConfig = self._base.client
        self.suggesting = Suggesting(lambda: self.service, told=self._answered)
        self.syntax = Syntax()
        self.folders = Folders(self._base.context, say=self._say_from_elsewhere)
        self.permission = Permission(self.folders.rules_of, secrets_in)
        self.workspaces = Workspaces(self.folders.rules_of)
        self.gatherer = Gatherer(
            self.folders, self._base.context,
            roots=lambda: self.documents.roots(),
            is_open=lambda document: self.documents.opened(document.uri) is document,
            cells=self._cells,
            tree_of=self.syntax.tree,
            told=self._tell_context,
        )  # fmt: skip
        self.feedback = Feedback(
            warn=self._say_from_elsewhere,
            made=self._share_from_elsewhere,
            is_open=lambda document: self.documents.opened(document.uri) is document,
        )
        self.sharing: Sharing | None = None
        self.popup = Popup(self._base.popup)
        self.service: Service | Replicas | None = None
        self.loading: LoadingProgress | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self._pull: asyncio.Task[None] | None = None
        self._said: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        _register(self)

    @property
    def documents(self) -> Documents:
        """The open documents; there are none before ``initialize``."""
        workspace = self.workspace
        assert isinstance(workspace, Documents)
        return workspace

    def load_config(self) -> None:
        """Read the configuration, with what came in ``initialize`` over it."""
        roots = self.documents.roots()
        loaded = load(Path(roots[0]) if roots else None)
        self._base = loaded.config
        self.config = loaded.config.client
        for message in loaded.messages:
            self.say(message, types.MessageType.Warning)
        self.folders.set_config(loaded.config.context)
        self.folders.set_roots(roots)
        self.gatherer.configured(loaded.config.context)
        self.workspaces.set_roots(roots)
        self.workspaces.configured(loaded.config)
        self.feedback.configured(loaded.config.feedback)
        self._configured()
        self.popup.configured(loaded.config.popup)
        if self.initial_settings is not None:
            self.apply_settings(self.initial_settings)

    def apply_settings(self, received: Any) -> None:
        """Take the editor's settings; each refusal is said once."""
        loaded = settings.apply(self._base, received)
        self.config = loaded.config.client
        self.folders.set_config(loaded.config.context)
        for message in loaded.messages:
            self.say(message, types.MessageType.Warning)
        self.permission.forget()
        self.gatherer.configured(loaded.config.context)
        self.workspaces.configured(loaded.config)
        self.feedback.configured(loaded.config.feedback)
        self.popup.configured(loaded.config.popup)
        self._configured()
        if self.loading is not None:
            self.loading.tell()

    def pull_settings(self) -> None:
        """Ask the editor for its settings, in the background."""
        self._pull = self.in_background(_pull_settings(self))

    async def settled(self) -> None:
        """Return once settings that were asked for are in; an editor that is slow is not waited for."""
        if self._pull is not None:
            await asyncio.wait({self._pull}, timeout=_PULL_S)
            self._pull = None

    def _configured(self) -> None:
        """Let the keystroke path know the configuration there is now."""
        reuse = not wants(self, "caretAlwaysAsk")
        policy = Policy(reuse=reuse, speculate=reuse and self.config.speculate)
        self.suggesting.configured(self.config, policy)

    def connect(self) -> None:
        """Begin to connect to the service, in the background."""
        # Here and not above: gRPC takes long to import, and `initialize` shall not wait for it.
        from lsp.client import Listener, Service
        from lsp.feedback.sharing import Sharing
        from lsp.progress import LoadingProgress
        from lsp.replicas import Replicas, addresses_of

        # What is loaded by now stays: a collection that walks it all (lsprotocol alone is 50,000
        # objects, 40 ms) would fall into some keystroke.
        gc.freeze()
        self.loading = progress = LoadingProgress(self)
        client = self._base.client
        is_shared = client.shared_server and not self._own_server
        listener = Listener(
            stage=progress.changed,
            warn=lambda text: self.say(text, types.MessageType.Warning, again=True),
            fail=lambda text: self.say(text, types.MessageType.Error, again=True),
        )
        addresses = addresses_of(self._address or client.server)
        if len(addresses) > 1:
            self.service = Replicas(addresses, listener, client.credentials)
        else:
            self.service = Service(
                address=addresses[0] if addresses else "",
                credentials=client.credentials,
                serve_args=self._serve_args,
                shared_idle_s=client.idle_minutes * 60 if is_shared else None,
                start_timeout_s=self._base.client.start_timeout_s,
                listener=listener,
            )
        self.service.start()
        self.workspaces.connect(self.service)
        if self._base.feedback.share:
            self.sharing = Sharing(self.service)

    def _cells(self, document: Document) -> tuple[pb.Snippet, ...]:
        path = locate(document.file_uri, self.documents.roots())[0]
        return sibling_cells(self.documents, document.uri, path, self.refused)

    def _tell_context(self, document: Document, gathered: Gathered) -> None:
        """Tell a client that asked for it what will be sent along: names and places, no text."""
        if wants(self, "caretContext"):
            self.protocol.notify(CONTEXT, described(document.uri, gathered))

    def _answered(self, response: pb.CompleteResponse) -> None:
        """Take notice of an answer of the model; a client that asked for it hears where its time went."""
        self.feedback.answered(response)
        if wants(self, "caretTimings"):
            self.protocol.notify(TIMINGS, timings.of(response))

    async def close(self) -> None:
        """End what runs for this client."""
        if self.loading is not None:
            self.loading.close()
        await self.suggesting.close()
        self.gatherer.close()
        await self.popup.close()
        await self.workspaces.close()
        for task in self._tasks:
            task.cancel()
        self.syntax.close()
        self.permission.close()
        self.folders.close()
        await self.feedback.close()
        if self.sharing is not None:
            await self.sharing.close()
        if self.service is not None:
            await self.service.close()

    def offered(
        self, snapshot: inline.Snapshot, completion_id: str, items: Sequence[inline.Numbered]
    ) -> types.InlineCompletionList:
        """Return an answer's items, which are remembered until it is known what became of them."""
        scope = self.syntax.scope(snapshot.document, snapshot.line, snapshot.column)
        self.feedback.offered(snapshot, scope, completion_id, items)
        return types.InlineCompletionList(items=[item for _, item in items])

    def refused(self, document: Document) -> str:
        """Return why nothing of ``document`` may be sent, or nothing."""
        return self.permission.refused(document, self.documents.roots())

    def hidden(self, snapshot: inline.Snapshot) -> Hidden:
        """Return what of the text around a cursor is secret."""
        document, line, column = snapshot.document, snapshot.line, snapshot.column
        if self.permission.refused(document, self.documents.roots()):
            return Hidden()
        return self.permission.hidden(document, line, column, self.config.context_bytes)

    def edited(self, uri: str, changes: Sequence[types.TextDocumentContentChangeEvent]) -> None:
        """Take notice of ``changes`` of the document ``uri``, which are all in."""
        self.changed(uri)
        document, key = self.documents.opened(uri), self.documents.key(uri)
        if document is not None:
            self.suggesting.edited(
                key, lambda: near.cursors_after(document, key, changes), is_key=near.is_key(changes)
            )

    def changed(self, uri: str) -> None:
        """Take notice that the document ``uri`` was opened, or that its changes are all in."""
        document = self.documents.opened(uri)
        if document is not None:
            document.end_of_changes()
            self.popup.latest.drop(self.documents.key(uri))
            self.syntax.changed(document)
            self.workspaces.changed(self.documents.key(uri), document)
            self.in_background(self.permission.search_again(document))

    def files_changed(self, paths: Sequence[str]) -> None:
        """Take notice of files that were made, written or removed on disk."""
        self.folders.changed(paths)
        self.gatherer.changed_on_disk(paths)
        self.popup.forget()
        self.workspaces.files_changed(paths)
        self.permission.forget()

    async def watch_files(self) -> None:
        """Ask the editor to tell of files that change on disk."""
        try:
            await self.client_register_capability_async(watching.registration())
        except JsonRpcException as error:
            log.warning("the editor does not watch files: %s", describe(error))

    def in_background(self, work: Any) -> asyncio.Task[None]:
        """Run a coroutine beside the handlers; what goes wrong in it is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def say(self, text: str, kind: types.MessageType, *, again: bool = False) -> None:
        """Show the user one line; the same line only once, unless ``again``."""
        if again or text not in self._said:
            self._said.add(text)
            self.window_show_message(types.ShowMessageParams(kind, f"Caret: {text}"))

    def _say_from_elsewhere(self, text: str) -> None:
        """Show one line, from any thread."""
        if self.loop is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the editor
            self.loop.call_soon_threadsafe(self.say, text, types.MessageType.Warning)

    def _share_from_elsewhere(self, events: Sequence[Event]) -> None:
        """Have events sent to the server where the user wants that, from any thread."""
        if self.loop is not None and self.sharing is not None:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.sharing.add, events)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log an error in a handler; no popup, and nothing of the message it came from."""
        if not isinstance(error, JsonRpcException):
            log.error("%s", describe(error))
        else:
            log.error("%s: %s", source.__name__, describe(error))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s", describe(error))


async def _pull_settings(server: Server) -> None:
    items = [types.ConfigurationItem(section=settings.SECTION)]
    try:
        found = await server.workspace_configuration_async(types.ConfigurationParams(items=items))
    except JsonRpcException as error:
        log.warning("the editor did not give its settings: %s", describe(error))
        return
    if found and found[0] is not None:
        server.apply_settings(found[0])


def can_pull(server: Server) -> bool:
    """Whether the editor answers ``workspace/configuration``."""
    workspace = server.client_capabilities.workspace
    return bool(workspace and workspace.configuration)


def _register(server: Server) -> None:
    register_feedback(server, server.feedback)
    register_explaining(server)

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.initial_settings = params.initialization_options

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        server.loop = asyncio.get_running_loop()
        server.load_config()  # not before: nothing may be shown until `initialize` is answered
        server.permission.prepare()
        server.connect()
        if watching.can_watch(server.client_capabilities):
            server.in_background(server.watch_files())
        if can_pull(server):
            server.pull_settings()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configuration(params: types.DidChangeConfigurationParams) -> None:
        pushed = settings.client_settings(params.settings)
        if not pushed and can_pull(server):
            server.pull_settings()
        elif pushed is not None:
            server.apply_settings(params.settings)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(params: types.DidChangeWatchedFilesParams) -> None:
        server.files_changed(watching.paths_of(params.changes))

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        path = file_path(params.text_document.uri)
        server.files_changed([path] if path else [])

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders_changed(params: types.DidChangeWorkspaceFoldersParams) -> None:
        server.folders.set_roots(server.documents.roots())
        server.workspaces.set_roots(server.documents.roots())
        server.gatherer.forget()
        server.permission.forget()

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    async def inline_completion(
        params: types.InlineCompletionParams,
    ) -> types.InlineCompletionList:
        return await complete(server, params)

    @server.feature(CURSOR_MOVED)
    async def moved(params: Any) -> None:
        await cursor_moved(server, params)

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=TRIGGERS)
    )
    async def completion(params: types.CompletionParams) -> types.CompletionList:
        return await offer(server, params)

    # The documents themselves are kept by the protocol, before these are called.
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.suggesting.closed(server.documents.key(params.text_document.uri))
        server.changed(params.text_document.uri)
        document = server.documents.opened(params.text_document.uri)
        if document is not None:
            server.gatherer.opened(document)
            warm(server, document)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.edited(params.text_document.uri, params.content_changes)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.suggesting.closed(server.documents.key(params.text_document.uri))
        server.popup.latest.drop(server.documents.key(params.text_document.uri))
        server.workspaces.closed(server.documents.key(params.text_document.uri))

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_opened(params: types.DidOpenNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            server.changed(cell.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def notebook_changed(params: types.DidChangeNotebookDocumentParams) -> None:
        typed = notebooks.text_changes(params)
        for uri in notebooks.changed_cells(params):
            if uri in typed:
                server.edited(uri, typed[uri])
            else:
                server.suggesting.closed(server.documents.key(uri))
                server.changed(uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
    def notebook_saved(params: types.DidSaveNotebookDocumentParams) -> None:
        server.permission.forget()

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_closed(params: types.DidCloseNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            server.suggesting.closed(server.documents.key(cell.uri))
