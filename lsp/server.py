"""The handlers of `caret lsp`: each takes what it needs of a request and calls what does the work.

Knows LSP; decides nothing about text, models or processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from completion.config import ClientConfig, Config, load
from lsp import inline, notebooks, settings, timings, watching
from lsp.context.folders import Folders
from lsp.context.gather import Gatherer
from lsp.context.masking import Hidden
from lsp.context.notebooks import sibling_cells
from lsp.context.secrets import secrets_in
from lsp.context.told import described
from lsp.documents import Document, Documents
from lsp.gates.table import declined
from lsp.latest import Latest
from lsp.offering import moment
from lsp.paths import file_path, locate
from lsp.permission import Permission
from lsp.protocol import Protocol, describe, silence_pygls
from lsp.syntax import Syntax
from lsp.workspace.workspaces import Workspaces

if TYPE_CHECKING:
    from completion.wire import completion_pb2 as pb
    from lsp.client import Service
    from lsp.context.collect import Gathered

log = logging.getLogger("caret.lsp")

NAME = "caret"
TIMINGS = "caret/timings"
"""The notification that goes before an answer to a client with the capability ``caretTimings``."""
CONTEXT = "caret/context"
"""The notification of what was gathered, to a client with the capability ``caretContext``."""
VERSION = "0.1.0"


class Server(LanguageServer):
    """One client's language server: its documents, its configuration, its service."""

    protocol: Protocol  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *, address: str = "", serve_args: Sequence[str] = ()) -> None:
        silence_pygls()
        super().__init__(
            NAME, VERSION, protocol_cls=Protocol, notebook_document_sync=notebooks.SYNC
        )
        self._address = address
        self._serve_args = tuple(serve_args)
        self._base = Config()
        self.initial_settings: Any = None
        self.config: ClientConfig = self._base.client
        self.latest = Latest()
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
        self.service: Service | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
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
        if not self.config.enabled:
            self.latest.drop_all()

    def connect(self) -> None:
        """Begin to connect to the service, in the background."""
        # Here and not above: gRPC takes long to import, and `initialize` shall not wait for it.
        from lsp.client import Listener, Service
        from lsp.progress import LoadingProgress

        # What is loaded by now stays: a collection that walks it all (lsprotocol alone is 50,000
        # objects, 40 ms) would fall into some keystroke.
        gc.freeze()
        progress = LoadingProgress(self)
        self.service = Service(
            address=self._address or self._base.client.server,
            serve_args=self._serve_args,
            start_timeout_s=self._base.client.start_timeout_s,
            listener=Listener(
                stage=progress.changed,
                warn=lambda text: self.say(text, types.MessageType.Warning, again=True),
                fail=lambda text: self.say(text, types.MessageType.Error, again=True),
            ),
        )
        self.service.start()
        self.workspaces.connect(self.service)

    def _cells(self, document: Document) -> tuple[pb.Snippet, ...]:
        path = locate(document.file_uri, self.documents.roots())[0]
        return sibling_cells(self.documents, document.uri, path, self.refused)

    def _tell_context(self, document: Document, gathered: Gathered) -> None:
        """Tell a client that asked for it what will be sent along: names and places, no text."""
        if wants(self, "caretContext"):
            self.protocol.notify(CONTEXT, described(document.uri, gathered))

    async def close(self) -> None:
        """End what runs for this client."""
        self.latest.drop_all()
        self.gatherer.close()
        await self.workspaces.close()
        for task in self._tasks:
            task.cancel()
        self.syntax.close()
        self.permission.close()
        self.folders.close()
        if self.service is not None:
            await self.service.close()

    def refused(self, document: Document) -> str:
        """Return why nothing of ``document`` may be sent, or nothing."""
        return self.permission.refused(document, self.documents.roots())

    def hidden(self, snapshot: inline.Snapshot) -> Hidden:
        """Return what of the text around a cursor is secret."""
        document, line, column = snapshot.document, snapshot.line, snapshot.column
        if self.permission.refused(document, self.documents.roots()):
            return Hidden()
        return self.permission.hidden(document, line, column, self.config.context_bytes)

    def changed(self, uri: str) -> None:
        """Take notice that the document ``uri`` was opened, or that its changes are all in."""
        document = self.documents.opened(uri)
        if document is not None:
            document.end_of_changes()
            self.syntax.changed(document)
            self.workspaces.changed(self.documents.key(uri), document)
            self.in_background(self.permission.search_again(document))

    def files_changed(self, paths: Sequence[str]) -> None:
        """Take notice of files that were made, written or removed on disk."""
        self.folders.changed(paths)
        self.gatherer.changed_on_disk(paths)
        self.workspaces.files_changed(paths)
        self.permission.forget()

    async def watch_files(self) -> None:
        """Ask the editor to tell of files that change on disk."""
        try:
            await self.client_register_capability_async(watching.registration())
        except JsonRpcException as error:
            log.warning("the editor does not watch files: %s", describe(error))

    def in_background(self, work: Any) -> None:
        """Run a coroutine beside the handlers; what goes wrong in it is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

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


async def complete(
    server: Server, params: types.InlineCompletionParams
) -> types.InlineCompletionList:
    """Answer ``textDocument/inlineCompletion``; every request once, and never for an old text."""
    uri = params.text_document.uri
    documents = server.documents
    document = documents.opened(uri)
    service, config = server.service, server.config
    if document is None or service is None or not service.is_ready:
        return inline.empty()
    await server.permission.known(document)
    for cell in documents.cells_around(uri):
        if (sibling := documents.opened(cell.uri)) is not None:
            await server.permission.known(sibling)
    snapshot = inline.take(document, params.position)
    roots = documents.roots()
    hidden = server.hidden(snapshot)
    circumstances = moment(
        snapshot, params, roots, scope=server.syntax.scope,
        refused=lambda document: server.refused(document) or ("secret" if hidden.touched else ""),
    )  # fmt: skip
    if documents.opened(uri) is not document or not service.is_ready:
        return inline.empty()
    if reason := declined(circumstances, config):
        log.debug("declined: %s", reason)
        return inline.empty()
    request = inline.build(
        snapshot, params, config, roots,
        scope=server.syntax.scope(document, snapshot.line, snapshot.column),
        snippets=server.gatherer.snippets_for(document, snapshot.line, snapshot.column),
        membership=server.workspaces.membership(document),
    )  # fmt: skip
    request.document.prefix = hidden.prefix(request.document.prefix)
    request.document.suffix = hidden.suffix(request.document.suffix)
    response = await server.latest.run(
        documents.key(uri), service.complete(request, timeout_s=config.timeout_ms / 1000)
    )
    if response is None or snapshot.is_stale or documents.opened(uri) is not document:
        return inline.empty()
    if wants_timings(server):
        server.protocol.notify(TIMINGS, timings.of(response))
    return inline.items(snapshot, response)


def wants_timings(server: Server) -> bool:
    """Whether the client asked to be told where the time went."""
    return wants(server, "caretTimings")


def wants(server: Server, capability: str) -> bool:
    """Whether the client has an experimental capability."""
    experimental = server.client_capabilities.experimental
    return bool(isinstance(experimental, Mapping) and experimental.get(capability))


async def pull_settings(server: Server) -> None:
    """Ask the editor for its settings."""
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
            server.in_background(pull_settings(server))

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configuration(params: types.DidChangeConfigurationParams) -> None:
        pushed = settings.client_settings(params.settings)
        if not pushed and can_pull(server):
            server.in_background(pull_settings(server))
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

    # The documents themselves are kept by the protocol, before these are called.
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.latest.drop(server.documents.key(params.text_document.uri))
        server.changed(params.text_document.uri)
        document = server.documents.opened(params.text_document.uri)
        if document is not None:
            server.gatherer.opened(document)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        # The answer under way would be for a text that is no more.
        server.latest.drop(server.documents.key(params.text_document.uri))
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.latest.drop(server.documents.key(params.text_document.uri))
        server.workspaces.closed(server.documents.key(params.text_document.uri))

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_opened(params: types.DidOpenNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            server.changed(cell.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def notebook_changed(params: types.DidChangeNotebookDocumentParams) -> None:
        for uri in notebooks.changed_cells(params):
            server.latest.drop(server.documents.key(uri))
            server.changed(uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
    def notebook_saved(params: types.DidSaveNotebookDocumentParams) -> None:
        server.permission.forget()

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_closed(params: types.DidCloseNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            server.latest.drop(server.documents.key(cell.uri))
