"""One request for inline completions, from gates to items; and the same for a cursor that was put.

What is needed of the document is read before anything is awaited.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from completion.wire import completion_pb2 as pb
from lsp import inline, timings
from lsp.gates.table import declined
from lsp.keystrokes.cache import Question, Suggestion
from lsp.keystrokes.place import Selected
from lsp.near import place_at
from lsp.offering import moment
from lsp.protocol import InlineParams
from lsp.suggesting import Make

if TYPE_CHECKING:
    from lsp.server import Server

log = logging.getLogger("caret.lsp")

ANSWERED = "caret/answered"
"""Says, before each answer to a client with the capability ``caretTimings``, where it comes from and
how long it has taken since the request was read."""


async def complete(
    server: Server, params: types.InlineCompletionParams
) -> types.InlineCompletionList:
    """Answer ``textDocument/inlineCompletion``; every request once, and never for an old text."""
    documents, uri = server.documents, params.text_document.uri
    document = documents.opened(uri)
    if document is None:
        return inline.empty()
    epoch = document.epoch
    if not _is_ready(server) and inline.is_invoked(params) and server.loading is not None:
        await server.loading.over()  # the user asked: once, and editors keep what they were told
    if not _is_ready(server):
        return inline.empty()
    await server.settled()
    await server.permission.known(document)
    for cell in documents.cells_around(uri):
        if (sibling := documents.opened(cell.uri)) is not None:
            await server.permission.known(sibling)
    if documents.opened(uri) is not document or not _is_ready(server):
        return inline.empty()
    if document.epoch != epoch:
        return inline.empty()  # the position is one of a text that is no more
    snapshot = inline.take(document, params.position)
    while True:
        config = server.config
        asked = question_at(server, snapshot, params)
        if asked is None:
            return inline.empty()
        answer = await server.suggesting.suggest(*asked)
        if snapshot.is_stale or documents.opened(uri) is not document:
            return inline.empty()
        if config == server.config:
            break  # else settings have come meanwhile: it is asked again under them
    if wants(server, "caretTimings"):
        server.protocol.notify(ANSWERED, {
            "token": params.work_done_token, "source": answer.source.value,
            "completionId": answer.suggestion.completion_id,
            "milliseconds": timings.since_arrival(),
        })  # fmt: skip
    pieces, completion_id = answer.suggestion.pieces, answer.suggestion.completion_id
    items = inline.numbered(snapshot, _response(answer.suggestion))
    return server.offered(snapshot, completion_id, [(pieces[n].number, item) for n, item in items])


async def cursor_moved(server: Server, params: Any) -> None:
    """Take notice of ``caret/cursorMoved``: ``textDocument`` and ``position``, as in a request."""
    try:
        where = types.TextDocumentPositionParams(
            text_document=types.TextDocumentIdentifier(str(params.textDocument.uri)),
            position=types.Position(int(params.position.line), int(params.position.character)),
        )
    except (AttributeError, TypeError, ValueError):
        log.warning("caret/cursorMoved did not decode")
        return
    document = server.documents.opened(where.text_document.uri)
    if document is None:
        return
    await server.permission.known(document)
    if server.documents.opened(where.text_document.uri) is not document or not _is_ready(server):
        return
    snapshot = inline.take(document, where.position)
    asked = question_at(server, snapshot, types.InlineCompletionParams(
        context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
        text_document=where.text_document, position=where.position,
    ))  # fmt: skip
    if asked is not None:
        server.suggesting.placed(*asked)


def question_at(
    server: Server, snapshot: inline.Snapshot, params: types.InlineCompletionParams
) -> tuple[Question, Make] | None:
    """Return what is asked at a cursor and what makes the request; ``None``: a gate is closed."""
    document, config, roots = snapshot.document, server.config, server.documents.roots()
    hidden = server.hidden(snapshot)
    circumstances = moment(
        snapshot, params, roots, scope=server.syntax.scope,
        refused=lambda document: server.refused(document) or ("secret" if hidden.touched else ""),
    )  # fmt: skip
    if reason := declined(circumstances, config):
        log.debug("declined: %s", reason)
        return None
    snippets = server.gatherer.snippets_for(document, snapshot.line, snapshot.column)
    membership = server.workspaces.membership(document)

    def make() -> pb.CompleteRequest | None:
        if snapshot.is_stale:
            return None
        request = inline.build(
            snapshot, params, config, roots,
            scope=server.syntax.scope(document, snapshot.line, snapshot.column),
            snippets=snippets, membership=membership,
        )  # fmt: skip
        request.document.prefix = hidden.prefix(request.document.prefix)
        request.document.suffix = hidden.suffix(request.document.suffix)
        return request

    info = params.context.selected_completion_info
    popup = inline.selected(snapshot, info)
    place = place_at(
        document, server.documents.key(document.uri), snapshot.line, snapshot.column,
        None if popup is None else Selected(
            text=popup.text, before=popup.replace_before, after=popup.replace_after
        ),
    )  # fmt: skip
    question = Question(
        place=place, context=(_version(snippets), membership), invoked=inline.is_invoked(params),
        form=(config, document.language_in_use, _formatting(params)),
    )  # fmt: skip
    return question, make


def wants(server: Server, capability: str) -> bool:
    """Whether the client has an experimental capability."""
    experimental = server.client_capabilities.experimental
    return bool(isinstance(experimental, Mapping) and experimental.get(capability))


def _is_ready(server: Server) -> bool:
    return server.service is not None and server.service.is_ready


def _version(snippets: Sequence[pb.Snippet]) -> int:
    """Return what tells one set of snippets from another."""
    return hash(tuple((one.path, one.kind, one.text) for one in snippets))


def _formatting(params: types.InlineCompletionParams) -> Hashable:
    options = params.formatting_options if isinstance(params, InlineParams) else None
    return None if options is None else (options.tab_size, options.insert_spaces)


def _response(suggestion: Suggestion) -> pb.CompleteResponse:
    return pb.CompleteResponse(
        completion_id=suggestion.completion_id,
        candidates=[
            pb.Candidate(
                text=piece.text, replace_after=piece.replace_after,
                replace_before=suggestion.replace_before,
            )
            for piece in suggestion.pieces
        ],
    )  # fmt: skip
