"""Remembers which file was being parsed, so that one that ends the process is not read for ever.

A grammar is C code that somebody else wrote. What ends the process twice while the same file is
read is that file; a process that is killed by someone else leaves one suspicion, which is dropped.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

FILE = "reading"
MOST = 2
"""So many ends of the process at one file bar it."""


class Suspect:
    """The file that is being parsed, kept in the store's folder; without one, nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / FILE if folder is not None else None
        self._fd = -1
        self._suspected, self._ends = "", 0

    def begin(self) -> None:
        """Read what the process before has left. Raises OSError where nothing can be kept."""
        if self._path is None:
            return
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        count, _, path = os.read(self._fd, 1 << 16).partition(b" ")
        if count.isdigit() and path:
            self._suspected, self._ends = os.fsdecode(path), int(count)

    def is_barred(self, path: str) -> bool:
        """Tell whether ``path`` has ended the process too often."""
        return self._ends >= MOST and path == self._suspected

    def reading(self, path: str) -> None:
        """Remember that ``path`` is being parsed from now on."""
        ends = self._ends + 1 if path == self._suspected else 1
        self._write(b"%d %s" % (ends, os.fsencode(path)))

    def end(self) -> None:
        """Nothing is being parsed."""
        if self._ends < MOST:
            self._suspected, self._ends = "", 0
        self._write(b"")

    def _write(self, data: bytes) -> None:
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, 0)
                os.lseek(self._fd, 0, os.SEEK_SET)
                os.write(self._fd, data)
