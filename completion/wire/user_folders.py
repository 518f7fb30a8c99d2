"""The user's own folders: for sockets and locks while something runs, and for what is kept.

Both are nobody else's: mode 0700, and refused where they belong to another user or are a link, for
whoever could write there could listen in place of the server.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from completion.errors import CaretError

LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107
"""Bytes of a socket's path: ``sun_path``, less its final NUL."""


def runtime_folder(name: str, environ: Mapping[str, str] | None = None) -> Path:
    """Return a private folder in which a socket called ``name`` can be made.

    That is ``$XDG_RUNTIME_DIR/caret``, else ``~/.cache/caret/run``; it is made when missing.

    Raises:
        CaretError: neither can be had; says why not.
    """
    environ = os.environ if environ is None else environ
    reasons: list[str] = []
    for folder in _runtime_candidates(environ):
        if len(os.fsencode(folder / name)) > LONGEST_SOCKET:
            reasons.append(f"{folder}: too long for the path of a socket")
            continue
        try:
            return private_folder(folder)
        except CaretError as error:
            reasons.append(error.message)
    raise CaretError("; ".join(reasons) or "there is no home folder")


def state_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return where logs and the feedback store are kept; it may not exist yet."""
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "caret"


def private_folder(folder: Path) -> Path:
    """Return ``folder``, made where it is missing, once only this user can enter it.

    Raises:
        CaretError: it cannot be made, written to, or is another's.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise CaretError(f"{folder} is no folder of its own")
        if sys.platform != "win32":
            _refuse_exchangeable(folder)
            _close_to_others(folder)
    except OSError as error:
        raise CaretError(f"{folder}: {error.strerror or error}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CaretError(f"{folder} cannot be written to")
    return folder


def open_private(path: Path, flags: int) -> int:
    """Open or make a file that only this user can read; return its descriptor.

    ``flags`` are further ones of :func:`os.open`. A file that others could read is closed to them.

    Raises:
        OSError: it cannot be opened, is a link, or belongs to another user.
    """
    # Not to be stopped by a pipe that somebody has put there.
    calm = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags | os.O_CREAT | calm, 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise PermissionError(errno.EPERM, "is no file", str(path))
        if sys.platform != "win32":
            if found.st_uid != os.getuid():
                raise PermissionError(errno.EPERM, "belongs to another user", str(path))
            if stat.S_IMODE(found.st_mode) & 0o077:
                os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_exchangeable(folder: Path) -> None:
    """Refuse a folder in whose place another user could put one of theirs."""
    for parent in Path(os.path.realpath(folder.parent)).joinpath("-").parents:
        found = parent.stat()
        if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            raise CaretError(f"{folder} could be exchanged: anybody may write to {parent}")


def _close_to_others(folder: Path) -> None:
    """Take every right of others away, from what was looked at and nothing put in its place."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.getuid():
            raise CaretError(f"{folder} belongs to another user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def _runtime_candidates(environ: Mapping[str, str]) -> list[Path]:
    found: list[Path] = []
    given = environ.get("XDG_RUNTIME_DIR", "")
    if Path(given).is_absolute() and Path(given).is_dir():
        found.append(Path(given, "caret"))
    cache = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return [*found, Path(cache, "caret", "run")]
