"""A list as the editor takes it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lsprotocol import types

from lsp.inline import Snapshot
from lsp.popup.names import Name, Word

KINDS = {
    "module": types.CompletionItemKind.Module,
    "namespace": types.CompletionItemKind.Module,
    "class": types.CompletionItemKind.Class,
    "function": types.CompletionItemKind.Function,
    "property": types.CompletionItemKind.Property,
    "keyword": types.CompletionItemKind.Keyword,
}
"""By jedi's words; all others are variables, or fields behind a dot."""

SCOPES = {"function": "in this function", "class": "in this class", "file": "in this file"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """What the editor can do with an item."""

    label_details: bool = False
    insert_replace: bool = False

    @classmethod
    def of(cls, capabilities: types.ClientCapabilities) -> Manner:
        """Return what a client said of itself."""
        documents = capabilities.text_document
        item = documents.completion.completion_item if documents and documents.completion else None
        return cls(
            label_details=bool(item and item.label_details_support),
            insert_replace=bool(item and item.insert_replace_support),
        )


def nothing(*, ask_again: bool = False) -> types.CompletionList:
    """Return a list of no names; ``ask_again``: the next key may bring some."""
    return types.CompletionList(is_incomplete=ask_again, items=[])


def listed(
    snapshot: Snapshot, word: Word, names: Sequence[Name], manner: Manner, *, ask_again: bool
) -> types.CompletionList:
    """Return ``names``, best first, each in place of the word at the cursor."""
    start, cursor, end = map(snapshot.position, (word.start, snapshot.column, word.end))
    return types.CompletionList(
        is_incomplete=ask_again,
        items=[
            types.CompletionItem(
                label=name.text,
                kind=_kind(name, word),
                # editors sort as text: the rank, with as many digits as any list has
                sort_text=f"{rank:04d}",
                filter_text=name.text,
                detail=None if manner.label_details else _origin(name),
                label_details=types.CompletionItemLabelDetails(description=_origin(name))
                if manner.label_details
                else None,
                text_edit=types.InsertReplaceEdit(
                    name.text, types.Range(start, cursor), types.Range(start, end)
                )
                if manner.insert_replace
                else types.TextEdit(types.Range(start, end), name.text),
            )
            for rank, name in enumerate(names)
        ],
    )


def _kind(name: Name, word: Word) -> types.CompletionItemKind:
    kind = KINDS.get(name.kind)
    if word.is_member and kind in (None, types.CompletionItemKind.Function):
        return types.CompletionItemKind.Method if kind else types.CompletionItemKind.Field
    return kind or types.CompletionItemKind.Variable


def _origin(name: Name) -> str | None:
    return name.path or name.module or SCOPES.get(name.scope) or None
