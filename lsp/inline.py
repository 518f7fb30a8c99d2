"""``textDocument/inlineCompletion``: an editor's request to ours, our answer to its items.

Pure, and all of it runs before the first wait or after the last: a :class:`Snapshot` holds what the
document was, so that an edit meanwhile can make an answer stale and never wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lsprotocol import types

from completion.config import ClientConfig
from completion.wire import completion_pb2 as pb
from lsp.documents import Document, body
from lsp.paths import locate
from lsp.positions import Encoding, column_of_byte, units_of_column, wire_bytes
from lsp.protocol import InlineParams
from lsp.window import cut
from lsp.workspace.membership import Membership

_LINES = {
    "auto": pb.GenerationOptions.LINES_AUTO,
    "single": pb.GenerationOptions.LINES_SINGLE,
    "multi": pb.GenerationOptions.LINES_MULTI,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """The document and the cursor at the moment a request came; texts are those of its line."""

    document: Document
    epoch: int
    line: int
    column: int
    head: str
    """The cursor's line before the cursor."""
    tail: str
    """The cursor's line after the cursor, without the line's end."""
    encoding: Encoding

    @property
    def is_stale(self) -> bool:
        """Whether the document has changed since."""
        return self.document.epoch != self.epoch

    def position(self, column: int) -> types.Position:
        """Return the client's position of a code-point column of the cursor's line."""
        units = units_of_column(self.head + self.tail, column, self.encoding)
        return types.Position(self.line, units)


def take(document: Document, position: types.Position) -> Snapshot:
    """Return the snapshot at ``position``, which is clamped to a place that exists."""
    line, column = document.content.locate(position, document.encoding)
    text = body(document.content.lines[line])
    return Snapshot(
        document=document, epoch=document.epoch, line=line, column=column,
        head=text[:column], tail=text[column:], encoding=document.encoding,
    )  # fmt: skip


def build(
    snapshot: Snapshot,
    params: types.InlineCompletionParams,
    config: ClientConfig,
    roots: Sequence[str],
    *,
    scope: str = "",
    snippets: Sequence[pb.Snippet] = (),
    membership: Membership | None = None,
) -> pb.CompleteRequest:
    """Return what is sent for ``params``; call it before anything is awaited.

    ``scope`` is what the cursor stands in, nothing where that is not known; ``membership`` says
    which workspace the server has that the document is in, if it has one.
    """
    content = snapshot.document.content
    window = cut(
        wire_bytes(content.before(snapshot.line, snapshot.column)),
        wire_bytes(content.after(snapshot.line, snapshot.column)),
        config.context_bytes,
    )
    path, repo = locate(snapshot.document.file_uri, roots)
    document = pb.Document(
        path=membership.path if membership is not None else path,
        language_id=snapshot.document.language_in_use,
        prefix=window.prefix,
        suffix=window.suffix,
        eol=_line_end(content.lines, snapshot.line),
        prefix_truncated=window.prefix_truncated,
        suffix_truncated=window.suffix_truncated,
        scope=scope,
    )
    if isinstance(params, InlineParams) and params.formatting_options is not None:
        document.tab_size = params.formatting_options.tab_size
        document.insert_spaces = params.formatting_options.insert_spaces
    return pb.CompleteRequest(
        document=document,
        snippets=snippets,
        options=pb.GenerationOptions(candidates=config.candidates, lines=_LINES[config.lines]),
        selected_completion=selected(snapshot, params.context.selected_completion_info),
        trigger=pb.CompleteRequest.TRIGGER_INVOKED
        if is_invoked(params)
        else pb.CompleteRequest.TRIGGER_AUTOMATIC,
        workspace_id=membership.workspace_id if membership is not None else "",
        repo_name=repo,
    )


def is_invoked(params: types.InlineCompletionParams) -> bool:
    """Tell whether the user asked, and not the editor by itself."""
    return params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked


Numbered = tuple[int, types.InlineCompletionItem]
"""An item, and which candidate of the response it is."""


def items(snapshot: Snapshot, response: pb.CompleteResponse) -> types.InlineCompletionList:
    """Return what the editor shows, less what it could only show wrongly."""
    return types.InlineCompletionList(items=[item for _, item in numbered(snapshot, response)])


def numbered(snapshot: Snapshot, response: pb.CompleteResponse) -> list[Numbered]:
    """Return what the editor shows, each item with the number of its candidate."""
    found = ((n, _item(snapshot, one)) for n, one in enumerate(response.candidates))
    return [(number, item) for number, item in found if item is not None]


def empty() -> types.InlineCompletionList:
    """Return the answer that shows nothing, which every editor takes in silence."""
    return types.InlineCompletionList(items=[])


def _item(snapshot: Snapshot, candidate: pb.Candidate) -> types.InlineCompletionItem | None:
    try:
        text = candidate.text.decode("utf-8")
    except UnicodeDecodeError:
        return None
    head, tail = wire_bytes(snapshot.head), wire_bytes(snapshot.tail)
    after = candidate.replace_after
    if after > len(tail):
        # An editor replaces within one line: what is kept beyond it need not be inserted again.
        beyond = wire_bytes(snapshot.document.content.after(snapshot.line, snapshot.column))
        kept = beyond[len(tail) : after].decode("utf-8", "replace")
        if not text.endswith(kept):
            return None
        text, after = text.removesuffix(kept), len(tail)
    if candidate.replace_before > len(head):
        return None
    start = column_of_byte(snapshot.head, len(head) - candidate.replace_before)
    end = column_of_byte(snapshot.tail, after)
    if len(wire_bytes(snapshot.head[start:])) != candidate.replace_before:
        return None  # the edge is inside a character
    if len(wire_bytes(snapshot.tail[:end])) != after:
        return None
    # VS Code shows an item only if it begins with what it replaces before the cursor.
    typed = snapshot.head[start:]
    if not text.startswith(typed) or text == typed + snapshot.tail[:end]:
        return None
    return types.InlineCompletionItem(
        insert_text=text,
        range=types.Range(snapshot.position(start), snapshot.position(snapshot.column + end)),
    )


def selected(
    snapshot: Snapshot, info: types.SelectedCompletionInfo | None
) -> pb.SelectedCompletion | None:
    """Return the popup's item with its range in bytes; None when it is not around the cursor."""
    if info is None or not info.range.start.line == info.range.end.line == snapshot.line:
        return None
    content = snapshot.document.content
    _, start = content.locate(info.range.start, snapshot.encoding)
    _, end = content.locate(info.range.end, snapshot.encoding)
    if not start <= snapshot.column <= end:
        return None
    return pb.SelectedCompletion(
        text=wire_bytes(info.text),
        replace_before=len(wire_bytes(snapshot.head[start:])),
        replace_after=len(wire_bytes(snapshot.tail[: end - snapshot.column])),
    )


def _line_end(lines: Sequence[str], line: int) -> str:
    r"""Return the line end nearest the cursor: ``\r\n`` or, for all others, ``\n``."""
    for near in (line, line - 1):
        if near >= 0 and lines[near].endswith(("\n", "\r")):
            return "\r\n" if lines[near].endswith("\r\n") else "\n"
    return "\n"
