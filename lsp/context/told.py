"""What was gathered, for clients and people who want to know: names and places, no text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lsp.context.collect import Gathered


def described(uri: str, gathered: Gathered) -> dict[str, Any]:
    """Return the parameters of the notification ``caret/context``."""
    return {
        "uri": uri,
        "snippets": [
            {
                "path": note.path,
                "kind": note.kind,
                "relevance": note.relevance,
                "bytes": note.size,
                "sources": list(note.sources),
                "why": list(note.why),
            }
            for note in gathered.notes
        ],
        "left": [{"path": one.path, "reason": one.reason, "why": one.why} for one in gathered.left],
        "milliseconds": {name: round(ms, 1) for name, ms in gathered.milliseconds.items()},
        "failed": dict(gathered.failed),
    }
