"""Files with a secret in them, read only where nobody else can read them."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from completion.errors import UsageError

MAX_BYTES = 1 << 20
"""Of a file of tokens, a key or a certificate; beyond it the wrong file was named."""


def private_bytes(path: Path, what: str) -> bytes:
    """Return the content of ``path``, ``what`` it is being said where it cannot be had.

    Raises:
        UsageError: it cannot be read, is too large, or others may read or change it.
    """
    return _read(path, what, private=True)


def public_bytes(path: Path, what: str) -> bytes:
    """Return the content of ``path``, which is no secret.

    Raises:
        UsageError: it cannot be read, or is too large.
    """
    return _read(path, what, private=False)


def _read(path: Path, what: str, *, private: bool) -> bytes:
    try:
        with path.expanduser().open("rb") as file:  # what is looked at is what is read
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UsageError(f"{what} {path} is no file")
            if private and sys.platform != "win32":
                _refuse_shared(path, what, found)
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{what} {path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{what} {path} is larger than {MAX_BYTES >> 20} MiB: the wrong file?")
    return data


def _refuse_shared(path: Path, what: str, found: os.stat_result) -> None:
    open_to = stat.S_IMODE(found.st_mode) & 0o077
    if found.st_uid == 0 != os.getuid():
        open_to &= (
            ~0o040
        )  # how systems hand secrets to a service: root's, and readable by its group
    if open_to:
        raise UsageError(f"{what} {path} may be read by others; run: chmod 600 {path}")
    if found.st_uid not in (0, os.getuid()):
        raise UsageError(f"{what} {path} belongs to another user; use a file of your own")
