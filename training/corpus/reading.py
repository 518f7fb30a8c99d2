"""Reading files that anyone may have put there: regular ones, up to a size, and nothing else.

Opening never waits and never follows a link, so a pipe, a device or a loop of links costs nothing;
the size is known before a byte is read, and no more than the limit is ever in memory.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


class Unreadable(Exception):
    """A file was not read; ``reason`` is one of the reasons of the corpus's account."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_bounded(path: Path | str, limit: int) -> bytes:
    """Return a file's bytes; raises :class:`Unreadable` for what is no file or above ``limit``."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):  # ValueError: a name with a null character in it
        raise Unreadable("unreadable") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("not a file")
        if found.st_size > limit:
            raise Unreadable("too large")
        data = _read(descriptor, limit + 1)
    except OSError:
        raise Unreadable("unreadable") from None
    finally:
        os.close(descriptor)
    if len(data) > limit:  # it grew, or its file system does not say sizes
        raise Unreadable("too large")
    return data


def _read(descriptor: int, most: int) -> bytes:
    parts: list[bytes] = []
    while most > 0 and (part := os.read(descriptor, min(most, 1 << 20))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)
