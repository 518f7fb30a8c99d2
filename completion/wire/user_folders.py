"""The user's own folders: for sockets and locks while something runs, and for what is kept.

Both are nobody else's: mode 0700, and refused where they belong to another user or are a link, for
whoever could write there could listen in place of the server.
"""

from __future__ import annotations

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
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise CaretError(f"{folder} is no folder of its own")
        if sys.platform != "win32":
            if found.st_uid != os.getuid():
                raise CaretError(f"{folder} belongs to another user")
            if stat.S_IMODE(found.st_mode) & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise CaretError(f"{folder}: {error.strerror or error}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CaretError(f"{folder} cannot be written to")
    return folder


def _runtime_candidates(environ: Mapping[str, str]) -> list[Path]:
    found: list[Path] = []
    given = environ.get("XDG_RUNTIME_DIR", "")
    if Path(given).is_absolute() and Path(given).is_dir():
        found.append(Path(given, "caret"))
    cache = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return [*found, Path(cache, "caret", "run")]
