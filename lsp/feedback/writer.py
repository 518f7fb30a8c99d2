"""Events on their way into the store: a thread of its own, a bounded queue, one warning.

Nothing that happens to the store reaches the keystroke path: whoever puts an event never waits.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from completion.errors import CaretError
from lsp.feedback.events import Event
from lsp.feedback.store import Store, is_of_the_disk

log = logging.getLogger("caret.lsp")

MOST_WAITING = 1000
"""Events that may wait to be written; beyond, the newest is dropped."""
RETRY_S = 60.0
"""How long nothing is tried after the store could not be written, in seconds."""
EXPIRE_S = 6 * 3600.0
"""How often old events are removed while the language server runs; also at its first event."""
CLOSE_S = 3.0

Made = Callable[[], Event | None]
"""Work that ends in an event, or in none: done in the writer's thread."""


class Writer:
    """Keeps events; :meth:`close` it at the end. The thread begins with the first event.

    ``warn`` gets one line when the store cannot be written, once; ``made`` each batch of events as it
    is written, or would be. Both are called in the writer's thread.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_days: float,
        warn: Callable[[str], None],
        made: Callable[[Sequence[Event]], None] = lambda events: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self.keep_days = keep_days
        self._warn = warn
        self._made = made
        self._clock = clock
        self._waiting: deque[Made] = deque()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ending = False
        self._warned = False
        self._store: Store | None = None
        self._retry_at = self._expire_at = 0.0
        self.dropped = 0
        """Events that were lost: too many at once, or a store that could not be written."""

    def put(self, make: Made) -> None:
        """Have an event made and kept; returns at once."""
        with self._news:
            if self._ending or len(self._waiting) >= MOST_WAITING:
                self.dropped += 1
                return
            self._waiting.append(make)
            self._news.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="feedback", daemon=True)
                self._thread.start()

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Write what waits and end; gives up after ``timeout_s`` seconds."""
        with self._news:
            self._ending = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._ending)
                batch = list(self._waiting)
                self._waiting.clear()
            if not batch:
                break
            events = [event for make in batch if (event := self._try(make)) is not None]
            self._made(events)
            self._keep(events)
        if self._store is not None:
            self._store.close()

    def _try(self, make: Made) -> Event | None:
        try:
            return make()
        except Exception as error:  # its text may quote what was compared
            log.error("an event was not made (%s)", type(error).__name__)
            return None

    def _keep(self, events: Sequence[Event]) -> None:
        if not events:
            return
        if time.monotonic() < self._retry_at:
            self.dropped += len(events)
            return
        try:
            self._write(events)
        except sqlite3.DatabaseError as error:
            if is_of_the_disk(error) or not self._again(events):
                self._failed(error, len(events))
        except (sqlite3.Error, CaretError, OSError) as error:
            self._failed(error, len(events))

    def _write(self, events: Sequence[Event]) -> None:
        if self._store is None:
            self._store = Store(self._path)
        self._store.add(events)
        if time.monotonic() >= self._expire_at:
            self._store.expire(now=self._clock(), keep_days=self.keep_days)
            self._expire_at = time.monotonic() + EXPIRE_S

    def _again(self, events: Sequence[Event]) -> bool:
        """Begin the store anew: it turned out to be damaged while it was open."""
        self._drop_store()
        try:
            self._write(events)
        except (sqlite3.Error, CaretError, OSError):
            return False
        return True

    def _failed(self, error: Exception, lost: int) -> None:
        self.dropped += lost
        self._drop_store()
        self._retry_at = time.monotonic() + RETRY_S
        reason = error.message if isinstance(error, CaretError) else str(error)
        log.error("feedback is not kept: %s", reason)
        if not self._warned:
            self._warned = True
            self._warn(
                f"what becomes of suggestions is not kept ({reason}); suggestions go on, "
                "and `feedback.enabled = false` ends this"
            )

    def _drop_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
