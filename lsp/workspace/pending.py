"""Which files are to be looked at for sending, and when: names only, each once. Pure."""

from __future__ import annotations

from dataclasses import dataclass

PAUSE_S = 0.7
"""How long nothing is typed in a document before its change is sent, in seconds."""
LATEST_S = 3.0
"""How long a change waits at most while typing goes on, in seconds."""


@dataclass(frozen=True, slots=True)
class _Due:
    first: float
    at: float


class Pending:
    """Paths in the order in which they are due: what is taken away, documents, files.

    Times are the caller's clock, in seconds.
    """

    def __init__(self) -> None:
        self._removals: dict[str, None] = {}
        self._documents: dict[str, _Due] = {}
        self._files: dict[str, None] = {}
        self._later: dict[str, float] = {}

    def __len__(self) -> int:
        waiting = (self._removals, self._documents, self._files, self._later)
        return sum(map(len, waiting))

    def remove(self, path: str) -> None:
        """Let the server's copy of ``path`` be taken away, before anything else."""
        self.drop(path)
        self._removals[path] = None

    def edited(self, path: str, now: float) -> None:
        """Let a document be sent after a pause."""
        before = self._documents.get(path)
        self.drop(path)
        first = before.first if before is not None else now
        self._documents[path] = _Due(first, min(now + PAUSE_S, first + LATEST_S))

    def document(self, path: str, now: float) -> None:
        """Let a document be sent at once."""
        self.drop(path)
        self._documents[path] = _Due(now, now)

    def file(self, path: str) -> None:
        """Let a file be sent when those before it are."""
        if path not in self._files:
            self.drop(path)
            self._files[path] = None

    def later(self, path: str, at: float) -> None:
        """Let a file be sent when it is time, unless it is to be sent before that anyway."""
        if path not in self._files and path not in self._documents:
            self._later[path] = at

    def drop(self, path: str) -> None:
        """Let nothing be sent of ``path``."""
        for waiting in (self._removals, self._documents, self._files, self._later):
            waiting.pop(path, None)

    def take_files(self) -> list[str]:
        """Return all files that wait for their turn, which they lose."""
        files, self._files = list(self._files), {}
        return files

    def take(self, now: float) -> tuple[str, bool] | None:
        """Return the next path that is due, and whether it is to be taken away; None: nothing is."""
        if self._removals:
            return self._first(self._removals), True
        if (path := self._due(now)) is not None:
            return path, False
        if self._files:
            return self._first(self._files), False
        return None

    def due_in(self, now: float) -> float | None:
        """Return how long to wait for the next, in seconds; None: for ever."""
        if self._removals or self._files:
            return 0.0
        times = [*(due.at for due in self._documents.values()), *self._later.values()]
        return max(min(times) - now, 0.0) if times else None

    def _due(self, now: float) -> str | None:
        for path, due in self._documents.items():
            if due.at <= now:
                del self._documents[path]
                return path
        for path, at in self._later.items():
            if at <= now:
                del self._later[path]
                return path
        return None

    @staticmethod
    def _first(waiting: dict[str, None]) -> str:
        path = next(iter(waiting))
        del waiting[path]
        return path
