"""A request as the gates see it: the document, the cursor, and what may be known of both.

Pure but for the two questions that it passes on, which are asked only when a gate needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lsprotocol import types

from lsp.documents import MAX_KEPT, Document
from lsp.gates.moment import Moment
from lsp.inline import Snapshot, is_invoked
from lsp.paths import locate


def moment(
    snapshot: Snapshot,
    params: types.InlineCompletionParams,
    roots: Sequence[str],
    *,
    scope: Callable[[Document, int, int], str],
    refused: Callable[[Document], str],
) -> Moment:
    """Return what the gates decide on."""
    document = snapshot.document
    path, _ = locate(document.file_uri, roots)
    return Moment(
        path=path,
        language_id=document.language_in_use,
        size=MAX_KEPT + 1 if document.too_large else document.content.size,
        has_nul=document.content.has_nul,
        head=snapshot.head,
        deleted=document.deleted_at(snapshot.line),
        invoked=is_invoked(params),
        scope=lambda: scope(document, snapshot.line, snapshot.column),
        refused=lambda: refused(document),
    )
