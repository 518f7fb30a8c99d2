"""The kept index: SQLite, one writer, any number of readers, rebuilt when it is not as expected.

Every file's rows are replaced in one transaction, so a reader and a process that comes back after
being killed see each file's definitions whole.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from completion.wire.user_folders import open_private
from lsp.context.index.place import Span, pack, unpack
from lsp.context.reading import Stamp

VERSION = 1
"""Of the tables below; a store of another version is built anew."""

FILE = "index.sqlite3"
LOCK = "lock.sqlite3"
CACHE_KIB = 16 << 10
"""Pages that SQLite keeps in memory while writing."""

_TABLES = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, mtime_ns INTEGER NOT NULL,
    size INTEGER NOT NULL, inode INTEGER NOT NULL, digest BLOB NOT NULL, stem INTEGER NOT NULL,
    language TEXT NOT NULL, names BLOB NOT NULL
);
CREATE INDEX files_by_stem ON files (stem);
CREATE TABLE defined (
    name INTEGER NOT NULL, file INTEGER NOT NULL, places BLOB NOT NULL, PRIMARY KEY (name, file)
) WITHOUT ROWID;
"""
_HASH = 8  # bytes of one name's hash in files.names
_STAMP = struct.Struct("<qqq")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What is kept of a file."""

    path: str
    stamp: Stamp
    digest: bytes
    stem: int
    """Hash of the file's name without its ending."""
    language: str
    defined: Mapping[int, list[Span]]
    """By the hash of the name."""


class Store:
    """The writer's side; from one thread at a time, save :meth:`find`. Raises sqlite3.Error."""

    def __init__(self, folder: Path | None) -> None:
        """Open the store in ``folder``, or one in memory; what is there and no good is removed."""
        self.folder = folder
        self._lock = threading.Lock()
        if folder is None:
            self._db = _connect(":memory:")
            self._db.executescript(_TABLES)
            return
        path = folder / FILE
        try:
            self._db = self._open(path)
        except sqlite3.DatabaseError as error:
            if is_of_the_disk(error):
                raise
            remove(folder)
            self._db = self._open(path)
        os.utime(folder)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        os.close(open_private(path, os.O_RDWR))
        db = _connect(str(path))
        try:
            db.execute("PRAGMA journal_mode = WAL")
            # A commit that is lost when the power goes is only work to be done again.
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
            if version != VERSION or not {"files", "defined"} <= tables:
                if tables:
                    raise sqlite3.DatabaseError("another version")
                db.executescript(f"BEGIN;{_TABLES}PRAGMA user_version = {VERSION};COMMIT;")
            db.execute("SELECT count(*) FROM (SELECT 1 FROM files LIMIT 1)").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def known(self) -> dict[str, bytes]:
        """Return each file's path with its stamp, packed: there may be many."""
        with self._lock:
            rows = self._db.execute("SELECT path, mtime_ns, size, inode FROM files")
            return {
                os.fsdecode(path): _STAMP.pack(mtime_ns, size, inode)
                for path, mtime_ns, size, inode in rows
            }

    def digest(self, path: str) -> bytes | None:
        """Return the hash of a file's content as it is kept; None: the file is not."""
        with self._lock:
            row = self._db.execute(
                "SELECT digest FROM files WHERE path = ?", (os.fsencode(path),)
            ).fetchone()
        return row[0] if row is not None else None

    def put(self, entry: Entry) -> None:
        """Keep a file's definitions in place of what was known; seen by others at a commit."""
        with self._lock:
            self._begin()
            self._remove(entry.path)
            names = b"".join(name.to_bytes(_HASH, "little", signed=True) for name in entry.defined)
            number = self._db.execute(
                "INSERT INTO files (path, mtime_ns, size, inode, digest, stem, language, names)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    os.fsencode(entry.path), entry.stamp.mtime_ns, entry.stamp.size,
                    entry.stamp.inode, entry.digest, entry.stem, entry.language, names,
                ),
            ).lastrowid  # fmt: skip
            self._db.executemany(
                "INSERT OR REPLACE INTO defined VALUES (?, ?, ?)",
                ((name, number, pack(spans)) for name, spans in entry.defined.items()),
            )

    def restamp(self, path: str, stamp: Stamp) -> None:
        """Take notice that a file has another stamp and the same content."""
        with self._lock:
            self._begin()
            self._db.execute(
                "UPDATE files SET mtime_ns = ?, size = ?, inode = ? WHERE path = ?",
                (stamp.mtime_ns, stamp.size, stamp.inode, os.fsencode(path)),
            )

    def remove(self, path: str) -> None:
        """Forget a file."""
        with self._lock:
            self._begin()
            self._remove(path)

    def commit(self) -> None:
        """Make what was done seen by others, and safe from this process's end."""
        with self._lock:
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def find(self, name: int, limit: int) -> list[Row]:
        """Return where a name is defined, at most ``limit`` files."""
        with self._lock:
            return find(self._db, name, limit)

    def files(self) -> int:
        """Return how many files are kept."""
        with self._lock:
            return self._db.execute("SELECT count(*) FROM files").fetchone()[0]

    def names(self) -> int:
        """Return how many names are kept, each once for a file."""
        with self._lock:
            row = self._db.execute("SELECT sum(length(names)) FROM files").fetchone()
        return (row[0] or 0) // _HASH

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._db.close()

    def abandon(self) -> None:
        """Close without a commit, whatever state it is in."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _remove(self, path: str) -> None:
        row = self._db.execute(
            "SELECT id, names FROM files WHERE path = ?", (os.fsencode(path),)
        ).fetchone()
        if row is None:
            return
        number, names = row
        hashes = (names[n : n + _HASH] for n in range(0, len(names), _HASH))
        self._db.executemany(
            "DELETE FROM defined WHERE name = ? AND file = ?",
            ((int.from_bytes(name, "little", signed=True), number) for name in hashes),
        )
        self._db.execute("DELETE FROM files WHERE id = ?", (number,))


Row = tuple[str, str, bytes]
"""Path, language and packed places."""


def find(db: sqlite3.Connection, name: int, limit: int) -> list[Row]:
    """Return where a name is defined, at most ``limit`` files."""
    rows = db.execute(
        "SELECT files.path, files.language, defined.places FROM defined"
        " JOIN files ON files.id = defined.file WHERE defined.name = ? LIMIT ?",
        (name, limit),
    )
    return [(os.fsdecode(path), language, places) for path, language, places in rows]


def spans_of(row: Row) -> Iterator[Span]:
    """Yield the places in a row."""
    return unpack(row[2])


class Reader:
    """The reading side of another process's store, from any thread; raises sqlite3.Error."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._inode = -1

    def find(self, name: int, limit: int) -> list[Row]:
        """Return where a name is defined; nothing while there is no store."""
        with self._lock:
            if not self._is_open():
                return []
            assert self._db is not None
            return find(self._db, name, limit)

    def _is_open(self) -> bool:
        try:
            inode = self._path.stat().st_ino
        except OSError:
            inode = -1
        if inode != self._inode and self._db is not None:  # it was built anew
            self._db.close()
            self._db = None
        if inode < 0:
            return False
        if self._db is None:
            db = _connect(f"{self._path.as_uri()}?mode=ro", timeout=0.05)
            self._db, self._inode = db, inode
        return True

    def close(self) -> None:
        """Close it."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None


def lock(folder: Path) -> sqlite3.Connection | None:
    """Become the one writer of ``folder``'s store until the connection is closed, or return None.

    SQLite's own lock on a file that holds nothing: it goes with the process, however that ends.

    Raises:
        sqlite3.Error: the folder cannot be written to.
    """
    path = folder / LOCK
    os.close(open_private(path, os.O_RDWR))
    db = _connect(str(path), timeout=0)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        db.close()
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return None
        raise
    except sqlite3.DatabaseError:
        db.close()
        path.unlink()  # no database: somebody else's bytes
        return lock(folder)
    return db


def packed(stamp: Stamp) -> bytes:
    """Return a stamp as :meth:`Store.known` has it."""
    return _STAMP.pack(stamp.mtime_ns, stamp.size, stamp.inode)


def remove(folder: Path) -> None:
    """Remove a store that is no good; only the writer may."""
    for ending in ("", "-wal", "-shm", "-journal"):
        (folder / (FILE + ending)).unlink(missing_ok=True)


def size(folder: Path) -> int:
    """Return the bytes that the store takes on disk."""
    total = 0
    for ending in ("", "-wal"):
        with closing(os.scandir(folder)) as entries:
            total += sum(e.stat().st_size for e in entries if e.name == FILE + ending)
    return total


def _connect(path: str, timeout: float = 5.0) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=timeout, isolation_level=None, check_same_thread=False,
        uri=path.startswith("file:"),
    )  # fmt: skip


def is_of_the_disk(error: sqlite3.Error) -> bool:
    """Whether it is the disk that is full, read-only or failing, and not the store that is bad."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (
        sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY,
    )  # fmt: skip
