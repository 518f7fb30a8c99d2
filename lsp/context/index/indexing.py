"""One workspace folder's index, kept up to date: walks, single files, and when to do which.

Runs in the index's process (:mod:`lsp.context.index.worker`), which is told what to do by commands.
"""

from __future__ import annotations

import os
import queue
import sqlite3
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from completion.config import ContextConfig
from lsp.context.ignore import IGNORE_FILES, Rules
from lsp.context.index import extract, keys, store, walk
from lsp.context.index.order import Order
from lsp.context.index.pace import Pace, peak_bytes, resident_bytes
from lsp.context.index.place import Stats
from lsp.context.index.suspect import Suspect
from lsp.context.reading import UNKNOWN, Refused, Stamp, read_regular, settled

COMMIT_S = 0.5
TELL_S = 1.0
LOOK_S = 2.0
"""How often git's own files are looked at, which change when it writes many others, in seconds."""
RECHECK_S = 120.0
"""How long after one walk the next begins at the latest, in seconds; longer where walks are long."""
RECHECK_SHARE = 50
SOON_S = 1.0
"""The least time between two walks, in seconds; twice as long as a walk where that is more, up to
:data:`LATE_S`."""
LATE_S = 5.0
LOCK_S = 2.0
"""How often a process that another one keeps the store for asks whether it still does."""


class Ended(Exception):
    """Nobody listens any more."""


class Again(Exception):
    """Another process shall go on."""


class Indexing:
    """One workspace folder's index, until :class:`Ended`."""

    def __init__(
        self,
        order: Order,
        commands: queue.SimpleQueue[dict[str, Any] | None],
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self._order, self._commands, self._tell = order, commands, tell
        self._key = bytes.fromhex(order.key)
        config = replace(
            ContextConfig(),
            excluded_globs=tuple(order.excluded_globs),
            max_file_bytes=order.max_file_bytes,
        )
        self._rules = Rules.of(Path(order.root), config)
        self._pace = Pace(order.index_cpu_share)
        self._folder = Path(order.store) if order.store else None
        self._lock: sqlite3.Connection | None = None
        self._suspect = Suspect(self._folder)
        self.store: store.Store | None = None
        self._stats = Stats(state="starting")
        self._committed = self._told = time.monotonic()
        self._git: tuple[Stamp | None, ...] = ()
        self._wanted = True

    def run(self) -> None:
        """Keep the index up to date for ever."""
        self._open()
        while True:
            try:
                self._whole_pass()
                self._wait()
            except sqlite3.Error as error:
                if isinstance(error, sqlite3.DatabaseError) and not store.is_of_the_disk(error):
                    self._rebuild()
                else:
                    self._in_memory(error)

    # The store

    def _open(self) -> None:
        if self._folder is None:
            self.store = store.Store(None)
            return
        try:
            keys.own_folder(self._folder)
            while (lock := store.lock(self._folder)) is None:
                self._say(state="shared")
                self._listen_until(time.monotonic() + LOCK_S)
            self._lock = lock
            self.store = store.Store(self._folder)
            self._suspect.begin()
            keys.remove_unused(self._folder.parent, self._folder)
        except (sqlite3.Error, OSError) as error:
            self._in_memory(error)

    def _rebuild(self) -> None:
        """Begin anew: the store turned out to be damaged."""
        assert self._folder is not None
        try:
            if self.store is not None:
                self.store.abandon()
            store.remove(self._folder)
            self.store = store.Store(self._folder)
        except (sqlite3.Error, OSError) as error:
            self._in_memory(error)

    def _in_memory(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or str(error)
        note = f"kept in memory only: {self._folder} cannot be written ({reason})"
        if self.store is not None:
            self.store.abandon()
        self._folder, self.store = None, store.Store(None)
        self._suspect = Suspect(None)
        self._say(note=note)
        self._tell({"memory": True})

    # Passes

    def _whole_pass(self) -> None:
        """Go through the folder once: read what has changed, forget what is gone."""
        assert self.store is not None
        began = time.monotonic()
        self._wanted = False
        self._git = self._git_stamps()
        self._say(state="indexing", files=self.store.files())
        self._rules.forget()
        known = self.store.known()
        files = 0
        try:
            for seen in walk.walk(self._rules):
                self._between()
                if not seen.path or seen.stamp is None:
                    continue
                if files == self._order.index_files:
                    self._say(note=f"only the first {files} files are in the index")
                    break
                files += 1
                if known.pop(seen.path, None) != store.packed(seen.stamp):
                    self._take(seen)
            for path in known:
                self._between()
                self.store.remove(path)
        except walk.Unreachable:
            self._say(note="the folder cannot be read")
        self.store.commit()
        self._suspect.end()
        self._say(
            state="ready",
            files=self.store.files(),
            names=self.store.names(),
            passes=self._stats.passes + 1,
            pass_seconds=time.monotonic() - began,
        )

    def _take(self, seen: walk.Seen) -> None:
        """Read one file and keep what it defines."""
        assert self.store is not None and seen.language is not None
        path = seen.path
        if self._suspect.is_barred(path):
            self._keep(seen, seen.stamp or UNKNOWN, b"", {})
            return
        try:
            data, stamp = read_regular(os.path.join(self._order.root, path), self._rules.max_bytes)  # noqa: PTH118 - as bytes are
        except Refused as refused:
            if refused.reason == "unreadable":
                self.store.remove(path)
            else:  # no need to look again until it changes
                self._keep(seen, seen.stamp or UNKNOWN, b"", {})
            return
        stamp = settled(stamp)
        digest = keys.content_hash(self._key, data)
        if self.store.digest(path) == digest:
            self.store.restamp(path, stamp)
            return
        self._suspect.reading(path)
        places = extract.defined(seen.language, data, lambda name: keys.name_hash(self._key, name))
        self._keep(seen, stamp, digest, places)
        self._stats = replace(self._stats, read=self._stats.read + 1)

    def _keep(self, seen: walk.Seen, stamp: Stamp, digest: bytes, places: dict[int, Any]) -> None:
        assert self.store is not None and seen.language is not None
        self.store.put(
            store.Entry(
                path=seen.path,
                stamp=stamp,
                digest=digest,
                stem=keys.name_hash(self._key, extract.stem(seen.path)),
                language=seen.language.name,
                defined=places,
            )
        )

    def _changed(self, path: str) -> None:
        """Look at one path that an editor has named, whatever it is now."""
        if self.store is None:
            return
        if path.rpartition("/")[2] in IGNORE_FILES:
            self._rules.forget()
            self._wanted = True
            return
        seen = walk.look(self._rules, path)
        new = seen is not None and self.store.digest(path) is None
        if new and self.store.files() >= self._order.index_files:
            return
        if seen is not None:
            self._take(seen)
        elif self.store.digest(path) is not None:
            self.store.remove(path)
        else:  # a folder that came or went, or nothing of ours
            self._wanted = self._wanted or walk.language_of(path) is None

    # Between two files

    def _between(self) -> None:
        """Obey, rest, commit, tell: whatever is due."""
        while not self._commands.empty():
            self._obey(self._commands.get())
        now = time.monotonic()
        if now - self._committed > COMMIT_S and self.store is not None:
            self._committed = now
            self.store.commit()
            # Only with something done: a process that is too large at once would never get on.
            if self._stats.read and resident_bytes() > self._order.index_memory_mb << 20:
                self._say()
                raise Again
        if now - self._told > TELL_S and self.store is not None:
            self._say(files=self.store.files())
        if (rest := self._pace.rest()) > 0.005:
            time.sleep(rest)

    def _wait(self) -> None:
        """Obey until the next pass is due."""
        ended = time.monotonic()
        due = ended + max(RECHECK_S, RECHECK_SHARE * min(self._stats.pass_seconds, 60.0))
        soon = ended + min(max(SOON_S, 2 * self._stats.pass_seconds), LATE_S)
        while True:
            now = time.monotonic()
            if now >= due or (self._wanted and now >= soon):
                return
            self._listen_until(min(due, now + LOOK_S, soon if self._wanted else due))
            if self._git_stamps() != self._git:
                self._wanted = True

    def _listen_until(self, until: float) -> None:
        """Obey what comes until then."""
        while (left := until - time.monotonic()) > 0:
            try:
                self._obey(self._commands.get(timeout=left))
            except queue.Empty:
                break
            if self.store is not None and self._commands.empty():
                self.store.commit()
                self._say(files=self.store.files())
        if self.store is not None:
            self.store.commit()

    def _obey(self, command: dict[str, Any] | None) -> None:
        if command is None:
            raise Ended
        for path in command.get("changed", ()):
            self._changed(path)
        if command.get("refresh"):
            self._wanted = True

    def _git_stamps(self) -> tuple[Stamp | None, ...]:
        """Return the stamps of what git writes when it is done with the files."""
        folder = self._rules.root / ".git"
        found: list[Stamp | None] = []
        for name in ("HEAD", "index"):
            try:
                found.append(Stamp.of((folder / name).lstat()))
            except OSError:
                found.append(None)
        return tuple(found)

    def _say(self, **changes: Any) -> None:
        self._told = time.monotonic()
        self._stats = replace(
            self._stats,
            cpu_seconds=time.process_time(),
            peak_bytes=peak_bytes(),
            store_bytes=store.size(self._folder) if self._folder is not None else 0,
            **changes,
        )
        self._tell({"stats": asdict(self._stats)})
