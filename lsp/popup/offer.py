"""``textDocument/completion``: from the editor's request to its list, through the gates."""

from __future__ import annotations

import asyncio
import functools
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp import inline
from lsp.documents import MAX_KEPT, Document
from lsp.gates.moment import Moment
from lsp.gates.table import popup_declined
from lsp.near import place_at
from lsp.paths import file_path, locate, root_of
from lsp.popup.items import Manner, listed, nothing
from lsp.popup.names import word_at
from lsp.popup.place import Place
from lsp.popup.popup import Model

if TYPE_CHECKING:
    from lsp.server import Server

log = logging.getLogger("caret.lsp")

TRIGGERS = (".",)
"""Characters behind which editors ask by themselves; behind those of a word they do anyway."""


async def offer(server: Server, params: types.CompletionParams) -> types.CompletionList:
    """Answer a request; in time, and with nothing for a text that is no more."""
    popup = server.popup
    until = asyncio.get_running_loop().time() + popup.config.budget_ms / 1000
    document = server.documents.opened(params.text_document.uri)
    if document is None or not popup.config.enabled:
        return nothing()
    snapshot = inline.take(document, params.position)
    word = word_at(snapshot.head, snapshot.tail)
    config = replace(server.config, disabled_scopes=popup.config.disabled_scopes)
    if word is None:
        return nothing()
    if reason := popup_declined(_moment(server, snapshot), config):
        log.debug("no names: %s", reason)
        return nothing()
    place = Place.of(snapshot, word, server.syntax.language(document))
    roots, key = server.documents.roots(), server.documents.key(document.uri)
    cursor = place_at(document, key, snapshot.line, snapshot.column)
    found = await popup.latest.run(
        key,
        popup.find(
            place, _root(document, roots), roots, functools.partial(_model, server, place), until,
            lambda: word.typed + server.suggesting.shown(cursor).decode("utf-8", "replace"),
        ),
    )  # fmt: skip
    if found is None or snapshot.is_stale:
        return nothing(ask_again=True)
    manner = Manner.of(server.client_capabilities)
    return listed(snapshot, word, found.names, manner, ask_again=found.ask_again)


def warm(server: Server, document: Document) -> None:
    """Have jedi ready where this editor shows lists and the document is Python."""
    language = server.syntax.language(document)
    documents = server.client_capabilities.text_document
    if language is None or language.name != "python" or not server.popup.config.enabled:
        return
    if documents is not None and documents.completion is not None:
        roots = server.documents.roots()
        path, _ = locate(document.file_uri, roots)
        server.in_background(server.popup.warm(_root(document, roots), path))


def _root(document: Document, roots: list[str]) -> str:
    path = file_path(document.file_uri)
    return root_of(path, roots) if path is not None else ""


def _moment(server: Server, snapshot: inline.Snapshot) -> Moment:
    document = snapshot.document
    return Moment(
        path=locate(document.file_uri, server.documents.roots())[0],
        language_id=document.language_in_use,
        size=MAX_KEPT + 1 if document.too_large else document.content.size,
        has_nul=document.content.has_nul,
        head=snapshot.head,
        scope=lambda: server.syntax.scope(document, snapshot.line, snapshot.column),
    )


async def _model(server: Server, place: Place) -> Model | None:
    """Return how the model is asked; None: there is none, or nothing of this place may be sent."""
    service, document = server.service, place.snapshot.document
    await server.permission.known(document)
    if service is None or not service.is_ready or place.snapshot.is_stale:
        return None
    if server.refused(document):
        return None
    hidden = server.hidden(place.start)
    if hidden.touched:
        return None
    roots = server.documents.roots()
    root = _root(document, roots)
    return Model(
        ask=service.score,
        request=place.request(
            roots,
            server.config.context_bytes,
            hidden=hidden,
            snippets=server.gatherer.snippets_for(document, place.snapshot.line, place.word.start),
            membership=server.workspaces.membership(document),
        ),
        rules=server.folders.rules_of(root) if root else None,
    )
