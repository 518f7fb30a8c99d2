"""The kept events: one SQLite file in the user's state folder, for all their editors.

WAL, so that editors write beside each other and a reader never waits; every batch is one transaction,
so a process that is killed leaves whole batches. Old rows go, and the oldest where there are too many.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from completion.errors import CaretError
from completion.wire.user_folders import open_private, private_folder, state_folder
from lsp.feedback.events import Event, Kind

FILE = "feedback.sqlite3"
VERSION = 1
"""Of the table; a file of another version is begun anew."""
MOST_EVENTS = 200_000
"""About 30 MB."""
BUSY_S = 2.0
"""How long another editor's writing is waited for, in seconds."""
DAY_S = 86_400
_CLOCKS_ARE_WRONG_BEFORE = 1_735_689_600
"""2025, in seconds since 1970: as after a start without a battery."""

_COLUMNS = (
    "event_id", "completion_id", "candidate", "kind", "at", "language", "scope", "stop_reason",
    "offered_bytes", "accepted_bytes", "after_s", "kept_share", "visible_ms", "reason",
)  # fmt: skip
_TABLES = """
CREATE TABLE events (
    event_id TEXT PRIMARY KEY, completion_id TEXT NOT NULL, candidate INTEGER NOT NULL,
    kind INTEGER NOT NULL, at REAL NOT NULL, language TEXT NOT NULL, scope TEXT NOT NULL,
    stop_reason TEXT NOT NULL, offered_bytes INTEGER NOT NULL, accepted_bytes INTEGER NOT NULL,
    after_s INTEGER NOT NULL, kept_share REAL NOT NULL, visible_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX events_by_time ON events (at);
"""
_OF_THE_DISK = (
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
)  # fmt: skip


def default_path() -> Path:
    """Return where the store is; it may not exist yet."""
    return state_folder() / FILE


class Store:
    """The writer's side, used by one thread at a time.

    Raises sqlite3.Error, and CaretError where the folder cannot be had. A file that is damaged or of
    another version is removed, and begun anew: what it held is worth less than an editor without a
    message.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        private_folder(path.parent)
        try:
            self._db = _opened(path)
        except sqlite3.DatabaseError as error:
            if is_of_the_disk(error):
                raise
            remove(path)
            self._db = _opened(path)

    def add(self, events: Iterable[Event]) -> int:
        """Keep ``events`` in one transaction; return how many of them were not there yet."""
        rows = [tuple(getattr(event, name) for name in _COLUMNS) for event in events]
        marks = ", ".join("?" * len(_COLUMNS))
        before = self._db.total_changes
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            insert = f"INSERT OR IGNORE INTO events VALUES ({marks})"  # noqa: S608 - question marks
            self._db.executemany(insert, rows)
        return self._db.total_changes - before

    def expire(self, *, now: float, keep_days: float, most: int = MOST_EVENTS) -> int:
        """Remove events older than ``keep_days``, then the oldest beyond ``most``; return how many."""
        if now < _CLOCKS_ARE_WRONG_BEFORE:
            return 0  # else it would all be in the future
        before = self._db.total_changes
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            # In the future: the clock was wrong then. It would never be removed.
            self._db.execute(
                "DELETE FROM events WHERE at < ? OR at > ?",
                (now - keep_days * DAY_S, now + DAY_S),
            )
            (held,) = self._db.execute("SELECT count(*) FROM events").fetchone()
            if held > most:
                self._db.execute(
                    "DELETE FROM events WHERE event_id IN"
                    " (SELECT event_id FROM events ORDER BY at LIMIT ?)",
                    (held - most,),
                )
        return self._db.total_changes - before

    def clear(self) -> None:
        """Forget everything, and leave nothing of it in the file."""
        self._db.execute("PRAGMA secure_delete = ON")
        with self._db:
            self._db.execute("DELETE FROM events")
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close it; what is in the log beside the file goes into it."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()


def read(path: Path, *, since: float = 0.0) -> Iterator[Event]:
    """Yield the kept events from ``since`` (seconds since 1970) on, in order of time.

    Raises sqlite3.Error; a file that is not there has no events.
    """
    if not path.exists():
        return
    with closing(_connected(path)) as db:
        columns = ", ".join(_COLUMNS)
        query = f"SELECT {columns} FROM events WHERE at >= ? ORDER BY at, kind"  # noqa: S608
        for row in db.execute(query, (since,)):
            fields = dict(zip(_COLUMNS, row, strict=True))
            fields["kind"] = Kind(fields["kind"])
            yield Event(**fields)


def remove(path: Path) -> None:
    """Remove the file and what SQLite keeps beside it."""
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def is_of_the_disk(error: sqlite3.Error) -> bool:
    """Whether it is the disk that is full, read-only or failing, or another who holds the file."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _OF_THE_DISK


def _connected(path: Path) -> sqlite3.Connection:
    # From whichever thread: the caller sees to it that it is one at a time.
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        os.close(open_private(path, os.O_RDWR))  # SQLite would let others read it
    except PermissionError as error:
        raise CaretError(f"{path} {error.strerror}") from None
    db = _connected(path)
    try:
        _write_ahead(db)
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last batch, no more
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        tables = _names(db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
        if not tables:
            for statement in _TABLES.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION or tables != ["events"]:
            raise sqlite3.DatabaseError("of another version")
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _write_ahead(db: sqlite3.Connection) -> None:
    """Have the file keep a write-ahead log, which another editor may be about to do at this moment.

    SQLite then says at once that it is locked, however long it may wait otherwise.
    """
    until = time.monotonic() + BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)


def _names(rows: Iterable[Sequence[str]]) -> list[str]:
    return [row[0] for row in rows]
