"""What is kept of one workspace folder between gatherings, and its sources.

The same for the language server and for a command line: what differs is only what is open, what
was edited, and what was looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from completion.config import ContextConfig
from lsp.context.collect import Collector
from lsp.context.definitions import Definitions, Lookup
from lsp.context.found import Source
from lsp.context.imports import Imports
from lsp.context.opened import Opened
from lsp.context.recent import Hunk, Recent
from lsp.context.shapes import Shapes
from lsp.context.texts import Disk
from lsp.context.viewed import View, Viewed
from lsp.context.windows import Cuts

if TYPE_CHECKING:
    from lsp.context.definitions import Analysis
    from lsp.context.ignore import Rules
    from lsp.context.jedi_process import Jedi


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the user has open, has edited and has looked at, each the last one first."""

    opened: tuple[str, ...] = ()
    hunks: tuple[Hunk, ...] = ()
    views: tuple[View, ...] = ()


class WorkspaceContext:
    """One folder's sources. :meth:`close` it at the end."""

    def __init__(
        self, root: Path | None, rules: Rules | None = None, lookup: Lookup | None = None
    ) -> None:
        """Take the folder, its rules and what knows its definitions; None: only open documents."""
        self._root, self._lookup = root, lookup
        self.disk = Disk(rules) if rules is not None else None
        self.collector = Collector()
        self._shapes = Shapes()
        self._cuts = Cuts()
        self._jedi: Jedi | None = None

    def sources(self, config: ContextConfig, seen: Seen) -> Sequence[tuple[Source, float]]:
        """Return the sources that ``config`` has switched on, each with its milliseconds."""
        analysis = self._analysis() if config.static_analysis and config.definitions else None
        shapes, cuts = self._shapes, self._cuts
        all_of_them: list[tuple[bool, Source, float]] = [
            (
                config.definitions,
                Definitions(shapes, self._lookup, analysis),
                config.definitions_ms,
            ),
            (config.imports, Imports(shapes), config.imports_ms),
            (config.recent_edits, Recent(cuts, seen.hunks), config.windows_ms),
            (config.open_files, Opened(cuts, seen.opened), config.windows_ms),
            (config.viewed, Viewed(cuts, seen.views), config.windows_ms),
        ]
        return [(source, time) for is_on, source, time in all_of_them if is_on and time > 0]

    def forget(self) -> None:
        """Remember nothing of what a document meant when it was another."""
        if self._jedi is not None:
            self._jedi.forget()

    def close(self) -> None:
        """End what runs."""
        if self._jedi is not None:
            self._jedi.close()

    def _analysis(self) -> Analysis | None:
        if self._root is None:
            return None
        if self._jedi is None:
            from lsp.context.jedi_process import Jedi

            self._jedi = Jedi(self._root)
        return self._jedi
