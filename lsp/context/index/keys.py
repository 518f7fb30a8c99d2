"""Where stores lie, and the key by which names are hashed: a file that only this user can read.

Without the key a store says which hashes are equal and nothing else of the names.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import sys
import time
from pathlib import Path

from completion.errors import CaretError
from completion.wire.user_folders import private_folder

KEY_BYTES = 32
KEY_FILE = "key"
UNUSED_S = 90 * 86400
"""A store that nobody has used for so long is removed, in seconds."""


def cache_folder() -> Path:
    """Return the folder of all stores, under the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    if not base:
        if sys.platform == "win32":
            base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = str(Path.home() / "Library" / "Caches")
        else:
            base = str(Path.home() / ".cache")
    return Path(base) / "caret" / "index"


def own_folder(folder: Path) -> None:
    """Have ``folder``, and have it for this user alone.

    Raises:
        OSError: it cannot be made, or is another's.
    """
    try:
        private_folder(folder)
    except CaretError as error:
        raise PermissionError(errno.EPERM, error.message) from None


def read_key(folder: Path) -> bytes:
    """Return the key of the stores in ``folder``, made at the first call.

    Raises:
        OSError: the folder cannot be written to, or the key's file is not this user's alone.
    """
    own_folder(folder)
    path = folder / KEY_FILE
    for _ in range(3):  # another process may make it at the same moment
        try:
            return _existing(path)
        except FileNotFoundError:
            fresh = folder / f".{KEY_FILE}.{os.getpid()}.{os.urandom(4).hex()}"
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(os.urandom(KEY_BYTES))
                    file.flush()
                    os.fsync(file.fileno())
                os.link(fresh, path)  # whole, or not at all; who was first has made it
            except FileExistsError:
                pass
            finally:
                fresh.unlink(missing_ok=True)
    raise OSError(f"{path} cannot be made")


def _existing(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        key = file.read(KEY_BYTES + 1)
    if hasattr(os, "getuid"):
        if found.st_uid != os.getuid():
            raise PermissionError(f"{path} belongs to another user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o600)
    if len(key) != KEY_BYTES:
        path.unlink()  # torn or tampered with: stores of the old key are found no more
        raise FileNotFoundError(path)
    return key


def store_folder(folder: Path, key: bytes, root: Path) -> Path:
    """Return the folder of the store of one workspace folder."""
    name = hashlib.blake2b(os.fsencode(os.path.realpath(root)), key=key, digest_size=16)
    return folder / name.hexdigest()


def name_hash(key: bytes, name: bytes) -> int:
    """Return the hash of a name, a whole number of 64 bits with its sign."""
    digest = hashlib.blake2b(name, key=key, digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def content_hash(key: bytes, data: bytes) -> bytes:
    """Return the hash of a file's content."""
    return hashlib.blake2b(data, key=key, digest_size=8).digest()


def remove_unused(folder: Path, keep: Path) -> None:
    """Remove stores that were not used for :data:`UNUSED_S`, ``keep`` excepted."""
    now = time.time()
    with os.scandir(folder) as entries:
        for entry in entries:
            is_store = len(entry.name) == 32 and not set(entry.name) - set("0123456789abcdef")
            if not is_store or entry.name == keep.name or not entry.is_dir(follow_symlinks=False):
                continue
            if now - entry.stat(follow_symlinks=False).st_mtime > UNUSED_S:
                shutil.rmtree(entry.path, ignore_errors=True)
