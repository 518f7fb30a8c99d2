"""The one way in which a file's bytes come into a prompt: allowed, regular, bounded, text, masked.

Every check that can change between a look and a read is made on the open file.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from lsp.context import secrets
from lsp.context.ignore import Rules

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Not to wait, as opening a pipe that nobody writes to does."""

HEAD = 1 << 13
"""Bytes among which a NUL says that a file is no text; more of them are looked at with the rest."""


class Refused(Exception):
    """Nothing of a file may be used; ``reason`` is one word, as :meth:`Rules.allows` has them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """What changes when a file's content does."""

    mtime_ns: int
    size: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """Return the stamp in what the system says of a file."""
        # 63 bits: what SQLite can hold
        inode = found.st_ino & (1 << 63) - 1
        return cls(mtime_ns=found.st_mtime_ns, size=found.st_size, inode=inode)


RACY_NS = 20_000_000
RACY_COARSE_NS = 2_000_000_000
"""A file written so shortly before it is read may be written once more within the same time stamp:
its stamp is not kept, and who looks next reads it again. Some file systems count whole seconds."""
UNKNOWN = Stamp(mtime_ns=0, size=0, inode=0)


def settled(stamp: Stamp | None) -> Stamp:
    """Return the stamp to keep: none of a file that may still be under a writer's hands."""
    if stamp is None:
        return UNKNOWN
    racy = RACY_NS if stamp.mtime_ns % 1_000_000_000 else RACY_COARSE_NS
    return UNKNOWN if abs(time.time_ns() - stamp.mtime_ns) < racy else stamp


def read(rules: Rules, path: Path) -> bytes:
    """Return the text of a file of the workspace, secrets masked so that all places stay true.

    Raises:
        Refused: it may not be read, cannot be, or is no text.
    """
    return read_stamped(rules, path)[0]


def read_stamped(rules: Rules, path: Path) -> tuple[bytes, Stamp | None]:
    """Return what :func:`read` does, and its stamp; no stamp where it changed while it was read.

    Raises:
        Refused: it may not be read, cannot be, or is no text.
    """
    if reason := rules.allows(path):
        raise Refused(reason)
    # The name that was judged, links followed, and from here on no link: one that is put in its
    # place meanwhile is refused.
    real = os.path.realpath(rules.root / path)
    data, stamp = read_regular(real, rules.max_bytes)
    return secrets.masked(data, real), stamp


def read_regular(path: str, limit: int) -> tuple[bytes, Stamp | None]:
    """Return a regular file's text and its stamp; no stamp where it changed while it was read.

    Raises:
        Refused: "unreadable", "kind", "size" or "binary".
    """
    try:
        fd = os.open(path, _FLAGS | getattr(os, "O_NOFOLLOW", 0))
    except (OSError, ValueError):
        raise Refused("unreadable") from None
    with os.fdopen(fd, "rb", buffering=0) as file:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise Refused("kind")
        if before.st_size > limit:
            raise Refused("size")
        try:
            data = file.read(HEAD) or b""
            if b"\0" in data:
                raise Refused("binary")
            # One byte more than is allowed: a file that grows while it is read is seen to.
            while len(data) <= limit and (more := file.read(limit + 1 - len(data))):
                data += more
            after = os.fstat(fd)
        except OSError:
            raise Refused("unreadable") from None
    if len(data) > limit:
        raise Refused("size")
    if b"\0" in data:
        raise Refused("binary")
    stamp = Stamp.of(before)
    return data, stamp if stamp == Stamp.of(after) and len(data) == stamp.size else None
