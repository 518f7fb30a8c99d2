"""Two requests of ours: why nothing is suggested in a document, and an explanation of a place.

``caret/silence`` takes ``{textDocument}`` and answers ``{reason}``, one word of the gates that hold
for a whole document, or nothing. ``caret/explain`` takes ``{textDocument, position}`` and answers
``{markdown}``: what would be suggested there, why, and all that is sent for it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp import inline
from lsp.explanation import Explained, explanation
from lsp.gates import protection, switches
from lsp.gates.table import declined
from lsp.offering import moment

if TYPE_CHECKING:
    from lsp.documents import Document
    from lsp.server import Server

log = logging.getLogger("caret.lsp")

SILENCE = "caret/silence"
EXPLAIN = "caret/explain"

TIMEOUT_S = 30.0
"""How long an explanation may take; somebody has asked for it and waits, in seconds."""

_WHOLE_DOCUMENT = (
    switches.disabled,
    protection.size,
    switches.on_demand,
    switches.language,
    switches.files,
    protection.binary,
    protection.rules,
)
"""The gates that do not look at the cursor."""

_START = types.Position(0, 0)


def register(server: Server) -> None:
    """Answer both requests."""

    @server.feature(SILENCE)
    async def silence(params: Any) -> dict[str, str]:
        document = _document(server, params)
        return {"reason": "" if document is None else await silent_because(server, document)}

    @server.feature(EXPLAIN)
    async def explain(params: Any) -> dict[str, str]:
        document, position = _document(server, params), _position(params)
        if document is None or position is None:
            return {"markdown": explanation(Explained(refused="no document is open there"))}
        return {"markdown": explanation(await explained(server, document, position))}


async def silent_because(server: Server, document: Document) -> str:
    """Return why nothing is suggested by itself anywhere in ``document``, or nothing."""
    await server.permission.known(document)
    seen = moment(
        inline.take(document, _START), _automatic(document, _START), server.documents.roots(),
        scope=server.syntax.scope, refused=server.refused,
    )  # fmt: skip
    return next((why for gate in _WHOLE_DOCUMENT if (why := gate(seen, server.config))), "")


async def explained(server: Server, document: Document, position: types.Position) -> Explained:
    """Ask the service what it would do at ``position``, as a request by hand would be asked."""
    import grpc  # here: `initialize` shall not wait for it

    from lsp.client import is_channel_closed

    await server.permission.known(document)
    snapshot = inline.take(document, position)
    roots = server.documents.roots()
    hidden = server.hidden(snapshot)
    refused = server.refused(document) or ("secret" if hidden.touched else "")
    params = _automatic(document, position)
    seen = moment(
        snapshot, params, roots, scope=server.syntax.scope, refused=lambda document: refused
    )
    scope = server.syntax.scope(document, snapshot.line, snapshot.column)
    told = Explained(
        path=seen.path, line=snapshot.line + 1, column=snapshot.column + 1,
        language=seen.language_id, scope=scope, silent=declined(seen, server.config),
    )  # fmt: skip
    params.context.trigger_kind = types.InlineCompletionTriggerKind.Invoked
    asked = moment(
        snapshot, params, roots, scope=server.syntax.scope, refused=lambda document: refused
    )
    if why := declined(asked, server.config):
        return told.but(refused=why)
    if server.service is None or not server.service.is_ready:
        return told.but(refused="the completion server is not ready")
    request = inline.build(
        snapshot, params, server.config, roots,
        scope=scope,
        snippets=server.gatherer.snippets_for(document, snapshot.line, snapshot.column),
        membership=server.workspaces.membership(document),
    )  # fmt: skip
    request.document.prefix = hidden.prefix(request.document.prefix)
    request.document.suffix = hidden.suffix(request.document.suffix)
    try:
        stub = (await server.service.connection(document=request.document.path)).stub
        answer = await stub.Explain(request, timeout=TIMEOUT_S)
    except asyncio.CancelledError:
        if not is_channel_closed():
            raise
        return told.but(refused="the completion server has ended")
    except grpc.aio.AioRpcError as error:
        log.warning("the service refused: %s (%s)", error.details(), error.code().name)
        return told.but(refused=f"the completion server refused ({error.code().name})")
    return told.but(answer=answer, gathered=server.gatherer.gathered(document))


def _automatic(document: Document, position: types.Position) -> types.InlineCompletionParams:
    return types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(document.uri),
        position=position,
        context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
    )


def _document(server: Server, params: Any) -> Document | None:
    uri = getattr(getattr(params, "textDocument", None), "uri", None)
    return server.documents.opened(uri) if isinstance(uri, str) else None


def _position(params: Any) -> types.Position | None:
    position = getattr(params, "position", None)
    line, character = getattr(position, "line", None), getattr(position, "character", None)
    if not isinstance(line, int) or not isinstance(character, int) or min(line, character) < 0:
        return None
    return types.Position(line, character)
