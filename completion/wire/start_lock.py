"""Who may start the shared server: one at a time, whatever dies meanwhile.

A lock of the kernel (``flock``) on a file in the user's private folder. Whoever holds it looks
whether a server listens and, if none does, starts one and hands it the lock; the server lets go
when it listens. So nobody looks while a server is on its way, and a holder that is killed, before
or after it started one, leaves a lock that is free or a server's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from completion.errors import CaretError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

POLL_S = 0.03

CAN_LOCK = fcntl is not None
"""Whether this system has such locks."""


class StartLock:
    """The lock on ``path``; what is written in the file is the server's process id, for people."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    @property
    def fd(self) -> int:
        """The open file, to be handed to a child process, which then holds the lock as well."""
        return self._fd

    async def acquire(self, timeout_s: float) -> None:
        """Hold the lock; until :meth:`release`, or the end of the process.

        Raises:
            CaretError: the file cannot be made, or somebody has held it for ``timeout_s`` seconds.
        """
        assert fcntl is not None, "CAN_LOCK says so"
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise CaretError(f"{self._path}: {error.strerror}") from None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    try:
                        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        await asyncio.sleep(POLL_S)
                        continue
                    self._fd = fd
                    return
        except TimeoutError:
            raise CaretError(
                f"the shared server has been starting for {timeout_s:.0f} s and does not listen"
                f"{_by(self.owner())}"
            ) from None
        except OSError as error:
            raise CaretError(f"{self._path} cannot be locked: {error.strerror}") from None
        finally:
            if self._fd != fd:
                os.close(fd)

    def release(self) -> None:
        """Let go; a child that was handed the lock keeps it. Safe to repeat."""
        if self._fd >= 0:
            os.close(self._fd)  # no LOCK_UN: that would take it from the child, too
            self._fd = -1

    def note(self, pid: int) -> None:
        """Write down whose server it is."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{pid}\n".encode(), 0)

    def owner(self) -> int:
        """Return the process id that was written down last; 0: none was."""
        try:
            return int(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0


def _by(pid: int) -> str:
    return f" (process {pid})" if pid else ""
