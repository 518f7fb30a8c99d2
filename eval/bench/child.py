"""A side of a comparison in a process of its own: it is asked in JSON lines, and answers in them.

Both sides of a comparison are started before the first round and asked in turn, so that a drift of
the machine meets both alike, while neither takes anything of the other's: threads, environment,
allocator, OpenMP. A child times its own work, so that nothing of the pipe is in a figure.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from completion.errors import CaretError
from completion.wire.environment import child_environment

_LINE_BYTES = 1 << 26
"""Longest answer: some hundred thousand times of tokens."""
_GRACE_S = 10.0
_TAIL = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What one prompt was continued by."""

    token_ids: tuple[int, ...]
    at_ms: tuple[float, ...]
    """When each token was there, from the moment that all the prompts were handed over."""
    cached: int = 0
    """How many of the prompt's tokens were read from the cache, where the side says so."""


class Child:
    """``python -m module words…``, from :meth:`start` to :meth:`stop`; an async context manager.

    ``environment`` is laid over this process's; a value of None takes a variable away.
    """

    def __init__(
        self, module: str, *words: str, environment: dict[str, str | None] | None = None
    ) -> None:
        self._command = [sys.executable, "-m", module, *words]
        self._environment = environment or {}
        self._process: asyncio.subprocess.Process | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Child:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self.stop()

    async def start(self) -> dict[str, Any]:
        """Start it, and return what it says of itself once it is ready.

        Raises:
            CaretError: it ended before it was ready, and its last words.
        """
        environment = child_environment()
        for name, value in self._environment.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env=environment, limit=_LINE_BYTES,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read_stderr())
        try:
            return await self._answer()
        except BaseException:
            await self.stop()
            raise

    async def ask(self, **question: Any) -> dict[str, Any]:
        """Return what it answers.

        Raises:
            CaretError: it ended, or says what went wrong.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.drain()
        return await self._answer()

    async def run(
        self,
        prompts: Sequence[Sequence[int]],
        tokens: int | Sequence[int],
        *,
        fresh: bool,
        after_ms: Sequence[float] = (),
    ) -> list[Answer]:
        """Continue ``prompts`` by ``tokens`` each, greedily, all at once or each ``after_ms``.

        ``fresh``: nothing of an earlier prompt is remembered.
        """
        found = await self.ask(
            prompts=[list(prompt) for prompt in prompts],
            tokens=tokens if isinstance(tokens, int) else list(tokens),
            fresh=fresh, after_ms=list(after_ms),
        )  # fmt: skip
        answers = found["answers"]
        return [Answer(tuple(a["ids"]), tuple(a["at_ms"]), a.get("cached", 0)) for a in answers]

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it and its children have taken since they started."""
        assert self._process is not None
        times = [p.cpu_times() for p in tree(self._process.pid)]
        return sum(one.user + one.system for one in times)

    async def stop(self) -> None:
        """End it; safe to repeat."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()  # its loop ends there
            try:
                await asyncio.wait_for(process.wait(), _GRACE_S)
            except TimeoutError:
                for one in tree(process.pid):
                    with contextlib.suppress(psutil.Error):
                        one.kill()
                await process.wait()
        if self._reader is not None:
            self._reader.cancel()

    async def _answer(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            status = await self._process.wait()
            last = self._tail[-1] if self._tail else "it said nothing"
            raise CaretError(f"{self._command[2]} ended with status {status}: {last}")
        found = json.loads(line)
        if "error" in found:
            raise CaretError(f"{self._command[2]}: {found['error']}")
        return found

    async def _read_stderr(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            if text := line.decode("utf-8", "replace").strip():
                self._tail.append(text)


def tree(pid: int) -> list[psutil.Process]:
    """Return the process and all that came of it, as far as they still are."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
