"""The handlers of `caret lsp`: each takes what it needs of a request and calls what does the work.

Knows LSP; decides nothing about text, models or processes.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from completion.config import ClientConfig, Config, load
from lsp import inline, settings, timings
from lsp.documents import Documents
from lsp.latest import Latest
from lsp.protocol import Protocol, describe, silence_pygls

if TYPE_CHECKING:
    from lsp.client import Service

log = logging.getLogger("caret.lsp")

NAME = "caret"
TIMINGS = "caret/timings"
"""The notification that goes before an answer to a client with the capability ``caretTimings``."""
VERSION = "0.1.0"


class Server(LanguageServer):
    """One client's language server: its documents, its configuration, its service."""

    protocol: Protocol  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *, address: str = "", serve_args: Sequence[str] = ()) -> None:
        silence_pygls()
        super().__init__(NAME, VERSION, protocol_cls=Protocol)
        self._address = address
        self._serve_args = tuple(serve_args)
        self._base = Config()
        self.initial_settings: Any = None
        self.config: ClientConfig = self._base.client
        self.latest = Latest()
        self.service: Service | None = None
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
        if self.initial_settings is not None:
            self.apply_settings(self.initial_settings)

    def apply_settings(self, received: Any) -> None:
        """Take the editor's settings; each refusal is said once."""
        loaded = settings.apply(self._base, received)
        self.config = loaded.config.client
        for message in loaded.messages:
            self.say(message, types.MessageType.Warning)
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

    async def close(self) -> None:
        """End what runs for this client."""
        self.latest.drop_all()
        for task in self._tasks:
            task.cancel()
        if self.service is not None:
            await self.service.close()

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
    if reason := inline.declined(document, config):
        log.debug("declined: %s", reason)
        return inline.empty()
    snapshot = inline.take(document, params.position)
    request = inline.build(snapshot, params, config, documents.roots())
    response = await server.latest.run(
        documents.key(uri), service.complete(request, timeout_s=config.timeout_ms / 1000)
    )
    if response is None or snapshot.is_stale or documents.opened(uri) is not document:
        return inline.empty()
    if wants_timings(server):
        server.protocol.notify(TIMINGS, timings.of(response))
    return inline.items(snapshot, response)


def wants_timings(server: Server) -> bool:
    """Whether the client asked, as an experimental capability, to be told where the time went."""
    experimental = server.client_capabilities.experimental
    return bool(isinstance(experimental, Mapping) and experimental.get("caretTimings"))


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
        server.load_config()  # not before: nothing may be shown until `initialize` is answered
        server.connect()
        if can_pull(server):
            server.in_background(pull_settings(server))

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configuration(params: types.DidChangeConfigurationParams) -> None:
        pushed = settings.client_settings(params.settings)
        if not pushed and can_pull(server):
            server.in_background(pull_settings(server))
        elif pushed is not None:
            server.apply_settings(params.settings)

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    async def inline_completion(
        params: types.InlineCompletionParams,
    ) -> types.InlineCompletionList:
        return await complete(server, params)

    # The documents themselves are kept by the protocol, before these are called.
    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        # The answer under way would be for a text that is no more.
        server.latest.drop(server.documents.key(params.text_document.uri))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.latest.drop(server.documents.key(params.text_document.uri))
