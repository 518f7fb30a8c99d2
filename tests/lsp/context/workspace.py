"""A generated workspace, for the tests of what is gathered in one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from completion.config import ContextConfig
from completion.syntax.languages import language_for
from lsp.context.collect import Gathered
from lsp.context.definitions import Lookup
from lsp.context.found import Source, Spot
from lsp.context.ignore import Rules
from lsp.context.texts import Disk, Kept, OpenText, Texts
from lsp.context.workspace import Seen, WorkspaceContext

CURSOR = "¦"
"""Where the cursor is in a text."""


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write ``files`` by path below ``root``."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def spot(path: str, text: str) -> Spot:
    """Return the place of the cursor's mark in ``text``."""
    head, _, tail = text.partition(CURSOR)
    return Spot(
        path=path,
        language=language_for("", path),
        text=(head + tail).encode(),
        offset=len(head.encode()),
    )


def opened(path: str, text: str) -> OpenText:
    """Return an open document."""
    lines = tuple(text.splitlines(keepends=True))
    return OpenText(language=language_for("", path), lines=lines, epoch=0, kept=Kept())


def texts(root: Path | None, **documents: OpenText) -> Texts:
    """Return the texts of a folder, with open documents by path."""
    disk = Disk(Rules.of(root, ContextConfig())) if root is not None else None
    return Texts(disk, documents)


def gather(
    root: Path | None,
    at: Spot,
    *,
    documents: dict[str, OpenText] | None = None,
    seen: Seen | None = None,
    lookup: Lookup | None = None,
    extra: Source | None = None,
    config: ContextConfig | None = None,
) -> Gathered:
    """Gather for ``at`` once, without jedi; its own text is open."""
    config = config or ContextConfig(static_analysis=False)
    rules = Rules.of(root, config) if root is not None else None
    context = WorkspaceContext(root, rules, lookup)
    own = opened(at.path, at.text.decode())
    sources = list(context.sources(config, seen or Seen()))
    if extra is not None:
        sources.append((extra, 50.0))
    found = context.collector.collect(
        at, sources, Texts(context.disk, {at.path: own, **(documents or {})}),
        max_bytes=config.max_bytes,
    )  # fmt: skip
    context.close()
    return found
