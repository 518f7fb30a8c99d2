"""One workspace as the service knows it: its files' texts, and what its requests see of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from completion.prompt.views import Prompt
from completion.server.synced_file import SyncedFile
from completion.workspace.request import Mixing, Rest


@dataclass(frozen=True, slots=True)
class View:
    """What one request sees of a workspace."""

    workspace: str
    name: str
    path: str

    def mixing(self, prompt: Prompt, rest: Rest) -> Mixing:
        """Return what the engine is told with each request behind ``prompt``.

        ``rest`` is what the prompt has not of the document.
        """
        return Mixing(
            workspace=self.workspace,
            view=self.name,
            path=self.path,
            prefix=(prompt.prefix_start, prompt.prefix_start + prompt.prefix_tokens),
            suffix=(prompt.suffix_start, prompt.suffix_start + prompt.suffix_tokens),
            base=len(prompt.token_ids),
            rest=rest,
        )

    def mixing_plain(self, tokens: int) -> Mixing:
        """Return the same of a prompt that is nothing but text."""
        return Mixing(self.workspace, self.name, self.path, (0, tokens), (0, 0), tokens)


@dataclass(slots=True)
class HeldWorkspace:
    """One of them; the engine core has its tokens under the same id."""

    id: str
    files: dict[str, SyncedFile] = field(default_factory=dict[str, SyncedFile])
    let_go: set[str] = field(default_factory=set[str])
    """Paths that the engine core could not hold: their edits mean nothing, and call for nothing."""
    changes: int = 0
    last: tuple[str, int] = ("", 0)
    """The path that changed last, and which change it was."""
    other: tuple[str, int] = ("", 0)
    """The last change of another path than that."""
    fits: int = 0
    fitted_tokens: int = 0
    pins: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    streams: int = 0
    used: float = field(default_factory=time.monotonic)
    tokens: int = 0
    nbytes: int = 0
    """Of the engine core's copy."""
    fitting: asyncio.Task[None] | None = None

    def changed(self, path: str) -> None:
        """Note a change of ``path``."""
        self.changes += 1
        if path != self.last[0]:
            self.other = self.last
        self.last = (path, self.changes)

    def view(self, path: str) -> View:
        """Return the view of a request in ``path``: its name changes with the other files only."""
        change = self.other[1] if path == self.last[0] else self.last[1]
        return View(self.id, f"{change}.{self.fits}", path)

    @property
    def kept(self) -> list[list[str]]:
        """Name and path of each view that a running request sees."""
        return [[name, path] for name, path in self.pins]

    @property
    def memory(self) -> int:
        """Bytes, here and in the engine core."""
        return self.nbytes + sum(file.nbytes for file in self.files.values())
