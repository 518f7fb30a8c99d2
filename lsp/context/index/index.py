"""The index as the language server sees it: a process that is kept going, and look-ups.

Look-ups read the store's file in the caller's thread, some 50 µs each; call them beside the event
loop all the same, for a disk may be slow. Nothing here raises at whoever looks something up: while
there is no index, nothing is defined anywhere.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from completion.config import ContextConfig
from completion.wire.environment import child_environment
from lsp.context.index import keys, store
from lsp.context.index.order import AGAIN, Order
from lsp.context.index.place import Place, Stats
from lsp.context.index.wide import is_too_wide

log = logging.getLogger("caret.lsp")

FETCHED = 256
"""Files that one look-up considers; a name that is defined in more says little about any of them."""
ANSWER_S = 0.5
"""How long an index in memory may take to answer, in seconds."""
MANY = 200
"""Changed paths of one notification from which on the folder is gone through instead."""
ENDS = 5
"""So many unforeseen ends of the process are its last."""
GRACE_S = 1.0


class Index:
    """Definitions of one workspace folder; :meth:`start` it, and :meth:`close` it at the end."""

    def __init__(
        self,
        root: Path,
        config: ContextConfig,
        *,
        folder: Path | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Take the workspace folder, where stores lie (the user's cache folder), whom to tell.

        ``say`` gets one line for the user, from another thread.
        """
        self.root = root
        self._config = config
        self._folder = folder
        self._say = say
        self._key = b""
        self._reader: store.Reader | None = None
        self._in_memory = False
        self._stats = Stats()
        self._news = threading.Condition()
        self._closing = False
        self._process: subprocess.Popen[bytes] | None = None
        self._commands: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._answers: dict[int, queue.SimpleQueue[list[store.Row]]] = {}
        self._asked = 0
        self._noted: set[str] = set()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin, in the background."""
        if not self._config.index or not self._config.index_files:
            return
        if is_too_wide(self.root):
            self._note(f"{self.root} is too wide to be indexed; open the folder of one project")
            return
        self._set(Stats(state="starting"))
        for work in (self._keep, self._send):
            thread = threading.Thread(target=work, name="index", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """End the process; what it has committed stays."""
        with self._news:
            self._closing = True
            self._news.notify_all()
            process = self._process
        self._commands.put(None)
        if process is not None:
            process.terminate()
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        for thread in self._threads:
            thread.join(GRACE_S)
        if self._reader is not None:
            self._reader.close()

    @property
    def stats(self) -> Stats:
        """How far it is."""
        return self._stats

    def wait(self, timeout_s: float, *, passes: int = 1) -> bool:
        """Return whether the folder was gone through ``passes`` times, as soon as it was.

        False after ``timeout_s`` seconds, and at once where there will be no index.
        """

        def over() -> bool:
            now = self._stats
            return now.state in ("off", "failed") or now.passes >= passes

        with self._news:
            self._news.wait_for(over, timeout_s)
            return self._stats.passes >= passes

    def changed(self, paths: Iterable[str]) -> None:
        """Take notice of files that were made, written or removed: paths relative to the root."""
        many = list(paths)
        if len(many) > MANY:
            self.refresh()
        elif many:
            self._commands.put({"changed": many})

    def refresh(self) -> None:
        """Let the folder be gone through again, soon."""
        self._commands.put({"refresh": True})

    def definitions(self, name: bytes, limit: int = 8, near: str = "") -> list[Place]:
        """Return places that define ``name``, at most ``limit``, in a stable order.

        Places in folders near to the path ``near``, relative to the root, come first.
        """
        if not name or not self._key or limit < 1:
            return []
        rows = self._find(keys.name_hash(self._key, name))
        rows.sort(key=lambda row: (-_common(row[0], near), row[0]))
        places: list[Place] = []
        for row in rows[:limit]:
            places += (
                Place(
                    root=self.root, path=row[0], language=row[1], at=span.at, start=span.start,
                    end=span.end, member=span.member,
                )
                for span in store.spans_of(row)
            )  # fmt: skip
        return places[:limit]

    # Look-ups

    def _find(self, name: int) -> list[store.Row]:
        if self._in_memory:
            return self._ask(name)
        if self._reader is None:
            return []
        try:
            return self._reader.find(name, FETCHED)
        except sqlite3.Error as error:
            log.debug("index: %s", type(error).__name__)
            return []

    def _ask(self, name: int) -> list[store.Row]:
        answer: queue.SimpleQueue[list[store.Row]] = queue.SimpleQueue()
        with self._news:
            self._asked += 1
            number = self._asked
            self._answers[number] = answer
        self._commands.put({"find": [number, name, FETCHED]})
        try:
            return answer.get(timeout=ANSWER_S)
        except queue.Empty:
            return []
        finally:
            self._answers.pop(number, None)

    # The process

    def _keep(self) -> None:
        """Keep the process going until :meth:`close`, or until it has ended too often."""
        try:
            order = self._order()
        except Exception as error:
            log.error("index: %s", type(error).__name__)
            self._set(Stats(state="failed", note="the index could not be started"))
            return
        ends = 0
        while not self._closing:
            status = self._run(order)
            if self._closing:
                return
            ends = 0 if status == AGAIN else ends + 1
            if ends == ENDS:
                self._set(Stats(state="failed", note="its process has ended too often"))
                self._note(f"the index of {self.root.name} has stopped: {self._stats.note}")
                return
            with self._news:
                self._news.wait_for(lambda: self._closing, timeout=min(0.2 * ends**2, 10.0))

    def _order(self) -> Order:
        folder = self._folder or keys.cache_folder()
        where = ""
        try:
            self._key = keys.read_key(folder)
            place = keys.store_folder(folder, self._key, self.root)
            self._reader, where = store.Reader(place), str(place)
        except OSError as error:
            self._key = os.urandom(keys.KEY_BYTES)
            self._in_memory = True
            self._note(
                f"the index is kept in memory only: {folder} cannot be written ({error.strerror})"
            )
        config = self._config
        return Order(
            root=str(self.root),
            store=where,
            key=self._key.hex(),
            excluded_globs=list(config.excluded_globs),
            max_file_bytes=config.max_file_bytes,
            index_files=config.index_files,
            index_memory_mb=config.index_memory_mb,
            index_cpu_share=config.index_cpu_share,
        )

    def _run(self, order: Order) -> int:
        with self._news:
            if self._closing:
                return 0
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "lsp.context.index.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=child_environment(), cwd=os.sep,
            )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(_line(asdict(order)))
            process.stdin.flush()
            for line in process.stdout:
                self._hear(json.loads(line))
        except (OSError, ValueError):
            pass
        process.stdin.close()
        process.stdout.close()
        return process.wait()

    def _hear(self, message: dict[str, Any]) -> None:
        if "stats" in message:
            stats = Stats(**message["stats"])
            if stats.note:
                self._note(f"the index of {self.root.name or self.root}: {stats.note}")
            self._set(stats)
        if "memory" in message:
            self._in_memory = True
        if "found" in message:
            number, rows = message["found"]
            answer = self._answers.get(number)
            if answer is not None:
                answer.put([(path, language, bytes.fromhex(data)) for path, language, data in rows])

    def _send(self) -> None:
        """Write commands: the process may be slow to read, and nobody else shall wait for it."""
        while (command := self._commands.get()) is not None:
            process = self._process
            if process is None or process.stdin is None:
                continue  # it has not begun: it will see all files as they are
            try:
                process.stdin.write(_line(command))
                process.stdin.flush()
            except (OSError, ValueError):
                continue  # it has ended: the next one sees all files as they are

    def _set(self, stats: Stats) -> None:
        with self._news:
            self._stats = stats
            self._news.notify_all()

    def _note(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._say(text)


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _common(path: str, near: str) -> int:
    """Return how many folders two paths have in common."""
    count = 0
    for one, other in zip(path.split("/")[:-1], near.split("/")[:-1], strict=False):
        if one != other:
            break
        count += 1
    return count
