"""The baseline that knows Python and no statistics: jedi's first completion at the cursor.

jedi runs in processes of its own, in an empty folder, and one that takes too long is ended: it is
slow, and a deep recursion or an endless inference in it shall cost one item and not the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec

from completion.errors import UsageError
from completion.wire.environment import child_environment
from eval.engines.base import Engine, Identity
from eval.engines.guessing import SILENT, guess
from eval.item import Answer, Ask, Item

LIMIT_S = 5.0
"""Seconds for one item, the first one of a process and its start included."""
_LONGEST = 1 << 24
"""Bytes of a line of an answer; names are short."""


class JediFirst(Engine):
    """Answers with the end of jedi's first name; ``ranked`` are the first ten, with what is typed
    of them left out. Silent where jedi has nothing, and in other languages than Python."""

    name = "jedi"

    def __init__(self, *, workers: int = 0, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._count = workers or min(4, os.cpu_count() or 1)
        self._free: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        self._workers: list[_Worker] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def start(self) -> Identity:
        """Make ready for the processes, each of which is started when it is needed.

        Raises:
            UsageError: jedi is not installed.
        """
        if find_spec("jedi") is None:
            raise UsageError("the baseline jedi needs jedi; install caret's eval extra")
        self._folder = tempfile.TemporaryDirectory(prefix="caret-jedi-")
        self._workers = [_Worker(self._folder.name) for _ in range(self._count)]
        for worker in self._workers:
            self._free.put_nowait(worker)
        return Identity(name=self.name, version=version("jedi"))

    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Answer with the end of the first name."""
        if item.language != "python":
            return SILENT
        worker = await self._free.get()
        try:
            found = await asyncio.wait_for(worker.ask(item), self._limit_s)
        except (TimeoutError, ConnectionError, ValueError):
            await worker.end()
            return SILENT
        except BaseException:  # cancelled half-way: its answer would be taken for the next item's
            await worker.end()
            raise
        finally:
            self._free.put_nowait(worker)
        texts = [text.encode() for text in found.get("texts") or () if text]
        return guess(texts[0], texts[: max(1, ask.candidates)]) if texts else SILENT

    async def stop(self) -> None:
        """End the processes."""
        for worker in self._workers:
            await worker.end()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


class _Worker:
    """One process, started at the first question and again after it was ended."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, item: Item) -> dict[str, list[str]]:
        """Return jedi's answer. Raises ConnectionError or ValueError when the process has gone."""
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "eval.engines.jedi_worker",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, cwd=self._folder, env=child_environment(),
                limit=_LONGEST,
            )  # fmt: skip
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        asked = {"prefix": _text(item.prefix), "suffix": _text(item.suffix)}
        stdin.write(json.dumps(asked).encode() + b"\n")
        await stdin.drain()
        return json.loads(await stdout.readline())

    async def end(self) -> None:
        """Kill it; it holds nothing."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _text(source: bytes) -> str:
    """Return source as jedi takes it: line ends as one character, a cut character replaced."""
    return source.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
