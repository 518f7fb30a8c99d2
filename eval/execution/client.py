"""The caller's side of a fork server: started, asked one thing at a time, ended without remains."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from completion.errors import CaretError
from eval.execution import scratch
from eval.execution.confine import Policy
from eval.execution.supervise import PATIENCE, Bounds

T = TypeVar("T")

_ROOT = str(Path(__file__).resolve().parents[2])
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from eval.execution.zygote import main; "
    "del sys.path[0]; main(sys.argv[2])"
)
_REPLY = 1 << 27
"""Bytes of the longest reply that is read: output bounds are far below it."""
_GRACE = 10.0
"""Seconds past a request's own last wall limit in which the server has to reply."""


class ServerLost(Exception):
    """The fork server ended while it had something to do, or does not reply."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One thing to be run: Python source in the fork itself, or a command."""

    policy: Policy
    bounds: Bounds
    folder: str
    """It starts there."""
    source: str = ""
    argv: tuple[str, ...] = ()
    whole: bool = True
    """Python: only the end of the program is a success."""
    stdin: str = ""
    environment: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Reply:
    """How it ended; the fields are those of :class:`eval.execution.supervise.Facts`."""

    status: int
    limit: str
    cpu: float
    stdout: str
    stderr: str
    ready: bool
    """It was confined before it ran; else nothing was run."""
    said: str
    passed: bool


class Server:
    """One fork server. ``async with`` it."""

    def __init__(self) -> None:
        self.folder = ""
        self.namespaces: list[str] = []
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Server:
        self.folder = scratch.make()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *_command(self.folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # nobody could read a traceback of a server
                env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
                start_new_session=True,
                limit=_REPLY,
            )
            first = await asyncio.wait_for(self._line(), 60)
            self.namespaces = first["namespaces"]
        except (ServerLost, TimeoutError):
            await self.stop()
            raise CaretError(
                f"the fork server for generated code did not start with {_command('')[0]}"
            ) from None
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def run(self, request: Request) -> Reply:
        """Run one thing.

        Raises:
            ServerLost: there was no reply.
            CaretError: the child could not be confined; it ran nothing.
        """
        process = self._process
        if process is None or process.stdin is None:
            raise ServerLost
        try:
            process.stdin.write(json.dumps(asdict(request)).encode() + b"\n")
            await process.stdin.drain()
            table = await asyncio.wait_for(self._line(), request.bounds.wall * PATIENCE + _GRACE)
        except (ConnectionError, TimeoutError):
            raise ServerLost from None
        reply = Reply(**table)
        if not reply.ready and not reply.limit:
            reason = reply.said.removeprefix("-") or f"status {reply.status}"
            raise CaretError(
                f"generated code is not run: this machine could not confine it ({reason}); "
                "use a Linux kernel with Landlock and seccomp, outside a container that forbids them"
            )
        return reply

    async def stop(self) -> None:
        """End it, the child it has, and what they wrote. Safe to repeat."""
        process, self._process = self._process, None
        with contextlib.suppress(ProcessLookupError):
            if process is not None:
                await asyncio.shield(_ended(process))
        if self.folder:
            scratch.remove(self.folder)
            self.folder = ""

    async def _line(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise ServerLost
        return json.loads(line)


def _command(folder: str) -> list[str]:
    """The base interpreter, without this environment's packages."""
    python = getattr(sys, "_base_executable", "") or sys.executable
    return [os.path.realpath(python), "-P", "-S", "-B", "-c", _START, _ROOT, folder]


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Let it end by itself, which it does when the requests end; else kill it."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()


def wait_for(act: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end and return what it does; also where a loop is running already."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(lambda: asyncio.run(act())).result()
