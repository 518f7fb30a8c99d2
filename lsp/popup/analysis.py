"""jedi's names for a place, asked for in a process of its own; never more than one question is open.

A question that comes meanwhile takes the place of the one that waits. What was answered is kept: the
names at the start of a word stay the same while the word is typed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from completion.wire.environment import child_environment
from lsp.popup.names import Name

log = logging.getLogger("caret.lsp")

HANG_S = 20.0
"""A question that takes longer will not be answered: the process is ended."""
HANGS = 3
"""How often that may happen, or the process end by itself, before it is left alone for good."""
MAX_TEXT = 512 << 10
"""Longer documents are not asked about, in characters."""
KEPT = 16
"""Places whose names are remembered."""
LONGEST = 1 << 24
"""Bytes of an answer."""

Names = tuple[Name, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A place in a text."""

    path: str
    """Relative to the folder, with slashes."""
    text: str
    """Line ends ``\\n``."""
    line: int
    """From 0."""
    column: int
    """In code points."""

    @property
    def data(self) -> bytes:
        """The question on the wire."""
        asked = {"path": self.path, "text": self.text, "line": self.line + 1, "column": self.column}
        return json.dumps({"id": 0, **asked}).encode() + b"\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Open:
    key: object
    question: Question
    answer: asyncio.Future[Names | None]


class Analysis:
    """One folder's process. From the event loop only; :meth:`close` it at the end."""

    def __init__(self, root: Path, command: Sequence[str] = ()) -> None:
        """Take the folder; ``command`` stands in for the process in tests."""
        self._command = list(command) or [sys.executable, "-m", "lsp.popup.jedi_names", str(root)]
        self.usable = bool(command) or find_spec("jedi") is not None
        self._known: OrderedDict[object, Names] = OrderedDict()
        self._next: _Open | None = None
        self._running: _Open | None = None
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.hangs = 0

    def known(self, key: object) -> Names | None:
        """Return what was answered for the place ``key``."""
        return self._known.get(key)

    async def names(self, key: object, question: Question) -> Names | None:
        """Return the names of a place, called ``key``; None: another question was more urgent.

        Cancelling it ends the waiting only: an answer that comes later is remembered.
        """
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        if not self.usable or len(question.text) > MAX_TEXT:
            return None
        for one in (self._running, self._next):
            if one is not None and one.key == key:
                return await asyncio.shield(one.answer)
        if self._next is not None:
            self._next.answer.set_result(None)
        loop = asyncio.get_running_loop()
        self._next = one = _Open(key=key, question=question, answer=loop.create_future())
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work())
        return await asyncio.shield(one.answer)

    def forget(self) -> None:
        """Remember nothing: files have changed."""
        self._known.clear()

    async def close(self) -> None:
        """End the process."""
        self.usable = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._end()

    async def _work(self) -> None:
        """Answer what is asked, one after the other."""
        try:
            while self._next is not None and self.usable:
                self._running, self._next = self._next, None
                found = await self._ask(self._running.question)
                if found is not None:
                    self._known[self._running.key] = found
                    while len(self._known) > KEPT:
                        self._known.popitem(last=False)
                self._running.answer.set_result(found)
                self._running = None
        finally:
            for one in (self._running, self._next):
                if one is not None and not one.answer.done():
                    one.answer.set_result(None)
            self._running = self._next = None

    async def _ask(self, question: Question) -> Names | None:
        try:
            async with asyncio.timeout(HANG_S):
                process = self._process or await self._start()
                assert process.stdin is not None and process.stdout is not None
                process.stdin.write(question.data)
                await process.stdin.drain()
                found = json.loads(await process.stdout.readline())["found"]
                return tuple(
                    Name(text=text, kind=kind, scope=scope, module=module, path=path)
                    for text, kind, scope, module, path in found
                )
        except (OSError, TimeoutError, ValueError, KeyError, TypeError) as error:
            self.hangs += 1
            self.usable = self.usable and self.hangs < HANGS
            what = "left alone" if not self.usable else "ended"
            log.warning("jedi's names: no answer (%s); it is %s", type(error).__name__, what)
            await self._end()
            return None

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, env=child_environment(),
            cwd=Path(__file__).parent, limit=LONGEST,
        )  # fmt: skip
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
