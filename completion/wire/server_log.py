"""What a shared server writes: one file in the user's state folder, kept short.

Names, counts and durations, as :mod:`completion.server.logs` has it; never source text.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from completion.errors import CaretError
from completion.wire.user_folders import open_private, private_folder, state_folder

MAX_BYTES = 1 << 20
"""Longer files are set aside when a server starts; one older file is kept."""
KEPT_DAYS = 30.0
_TAIL_BYTES = 64 << 10
_BEGIN = '"event": "listening"'


class ServerLog:
    """The log of the servers of one identity, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begin = 0

    @classmethod
    def named(cls, name: str, *, otherwise: Path) -> ServerLog:
        """Return the log called ``name``, in the state folder or, where that fails, another."""
        try:
            folder = private_folder(state_folder())
        except CaretError:
            folder = otherwise
        return cls(folder / f"serve-{name}.log")

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open it for a server that is about to start; what :meth:`lines` returns begins here.

        Where it cannot be written, the server's lines go nowhere.
        """
        self._tidy()
        try:
            descriptor = open_private(self.path, os.O_WRONLY | os.O_APPEND)
        except OSError:
            descriptor = os.open(os.devnull, os.O_WRONLY)
        with os.fdopen(descriptor, "ab") as file:
            self._begin = file.tell()
            yield file

    def lines(self) -> list[str]:
        """Return the last lines, of the server that was started here, or of the last one."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(self._begin if self._begin <= size else 0, size - _TAIL_BYTES))
                text = file.read(_TAIL_BYTES).decode("utf-8", "replace")
        except OSError:
            return []
        *_, of_this_one = text.rpartition(_BEGIN)
        return of_this_one.splitlines()[1 if _BEGIN in text else 0 :]

    def _tidy(self) -> None:
        with contextlib.suppress(OSError):
            if self.path.stat().st_size > MAX_BYTES:
                self.path.replace(self.path.with_suffix(".log.1"))
        oldest = time.time() - KEPT_DAYS * 86400
        with contextlib.suppress(OSError):
            for other in self.path.parent.glob("serve-*.log*"):
                if other.stat().st_mtime < oldest:
                    other.unlink()
