"""The files of a folder that are kept at the server, within a budget. Pure; no text is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lsp.context.index.walk import Seen
from lsp.workspace.choice import MOST_FILES


class Chosen:
    """Files by path, the most wanted first, each as it was seen last."""

    def __init__(self, max_bytes: int) -> None:
        """Take most bytes of all files together, as large as they are on disk."""
        self.max_bytes = max_bytes
        self.is_cut = False
        """Whether there are more files than these that might be sent."""
        self._files: dict[str, Seen] = {}
        self._bytes = 0
        self._unfit: dict[str, Seen] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def files(self) -> list[tuple[str, Seen]]:
        """Return all of them, as they are now."""
        return list(self._files.items())

    def replace(self, files: Mapping[str, Seen], *, is_cut: bool) -> None:
        """Have these files and no others."""
        self.is_cut = is_cut
        self._files = dict(files)
        self._bytes = sum(map(_size, files.values()))
        self._unfit = {path: seen for path, seen in self._unfit.items() if path in files}

    def looked_at(self, path: str, seen: Seen | None) -> None:
        """Take notice of what ``path`` is now; a new file is taken where there is room for it."""
        self.drop(path)
        if seen is None:
            return
        if len(self._files) < MOST_FILES and self._bytes + _size(seen) <= self.max_bytes:
            self._files[path] = seen
            self._bytes += _size(seen)
        else:
            self.is_cut = True

    def drop(self, path: str) -> None:
        """Have ``path`` no more."""
        seen = self._files.pop(path, None)
        if seen is not None:
            self._bytes -= _size(seen)
        self._unfit.pop(path, None)

    def seen(self, path: str) -> Seen | None:
        """Return how ``path`` was seen, if it is chosen."""
        return self._files.get(path)

    def size(self, path: str) -> int:
        """Return how large a file is on disk; 0 where it is not chosen."""
        seen = self._files.get(path)
        return _size(seen) if seen is not None else 0

    def has_no_room(self, path: str) -> None:
        """Take notice that the server has no room for ``path``, until it is another."""
        if (seen := self._files.get(path)) is not None:
            self._unfit[path] = seen

    def turned_out_unfit(self, path: str, seen: Seen) -> None:
        """Take notice that nothing of ``path`` may be sent, as it is."""
        if path in self._files:
            self._unfit[path] = seen

    def is_unfit(self, path: str, seen: Seen) -> bool:
        """Whether that is known of ``path`` as it is."""
        return self._unfit.get(path) == seen

    def forget_unfit(self) -> None:
        """Let all of them be read again: the rules are others now."""
        self._unfit.clear()


def _size(seen: Seen) -> int:
    return seen.stamp.size if seen.stamp is not None else 0
