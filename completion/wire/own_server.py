"""A private ``caret serve`` for one client: started, waited for, and ended with it.

It listens on a socket in a folder that only this user can enter, and goes away when its client
does, however that ends. What it wrote last on standard error says why it died.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from completion.errors import CaretError
from completion.wire.address import Address, parse_address
from completion.wire.channel import wait_until_serving
from completion.wire.environment import child_environment
from completion.wire.started_server import AS_CONFIGURED_BY_NOBODY, StartedServer
from completion.wire.user_folders import LONGEST_SOCKET

GRACE_S = 5.0
"""How long it may take to end after SIGTERM, in seconds, before it is killed."""

_TAIL_LINES = 50
_LINE_BYTES = 2000
_SOCKET = "s.sock"
_FAILURE = re.compile(r"caret \w+: |[\w.]*(Error|Exception)\b.*: ")


class OwnServer(StartedServer):
    """One server process.

    ``extra_args`` go to ``caret serve`` behind its address. ``on_stage`` is told "starting",
    "loading the model" and "serving" as each begins; ``on_line`` each line of standard error.
    """

    def __init__(
        self,
        *,
        extra_args: Sequence[str] = (),
        start_timeout_s: float = 120.0,
        on_stage: Callable[[str], None] = lambda stage: None,
        on_line: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._extra_args = tuple(extra_args)
        self._start_timeout_s = start_timeout_s
        self._on_stage = on_stage
        self._on_line = on_line
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._folder: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    @property
    def address(self) -> Address:
        """Where it listens."""
        assert self._folder is not None, "start() makes the address"
        return parse_address(f"unix:{self._folder / _SOCKET}")

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it and return when it serves.

        Raises:
            CaretError: when it ends or does not serve in time; it is then gone already.
        """
        if sys.platform == "win32":
            raise CaretError("a server of its own needs unix sockets; name one with --server")
        try:
            self._on_stage("starting")
            self._folder = _private_folder()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "completion.cli", "serve",
                "--listen", str(self.address), *AS_CONFIGURED_BY_NOBODY, "--exit-with-parent",
                str(os.getpid()),
                *self._extra_args,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE, env=child_environment(), start_new_session=True,
            )  # fmt: skip
            self._reader = asyncio.create_task(self._read_stderr())
            self._on_stage("loading the model")
            await self._wait_until_serving()
            self._on_stage("serving")
        except OSError as error:  # no room for the socket's folder, no process to be had
            await self.stop()
            raise CaretError(
                f"the completion server cannot be started ({error.strerror})"
            ) from None
        except BaseException:
            await self.stop()
            raise

    async def wait_ended(self) -> str:
        """Return, once the process has ended, one line on why."""
        assert self._process is not None
        status = await self._process.wait()
        await self._finish_reading()
        return stopped(self._tail, status)

    async def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL to it and its children after the grace. Safe to repeat."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), GRACE_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        await self._finish_reading()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _wait_until_serving(self) -> None:
        process = self._process
        assert process is not None
        channel = self.channel()
        waiting = asyncio.create_task(wait_until_serving(channel, timeout_s=self._start_timeout_s))
        ending = asyncio.create_task(self.wait_ended())
        try:
            await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                await waiting
            else:
                raise CaretError(await ending)
        finally:
            for task in (waiting, ending):
                task.cancel()
            await asyncio.gather(waiting, ending, return_exceptions=True)
            await channel.close()

    async def _read_stderr(self) -> None:
        assert self._process is not None
        stream = self._process.stderr
        assert stream is not None
        rest = b""
        while piece := await stream.read(1 << 16):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._note(line)
            rest = rest[-_LINE_BYTES:]
        self._note(rest)

    def _note(self, line: bytes) -> None:
        text = line[:_LINE_BYTES].decode("utf-8", "replace").rstrip()
        if text:
            self._tail.append(text)
            self._on_line(text)

    async def _finish_reading(self) -> None:
        """Take in what is left on standard error, unless a child of it holds that open."""
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=1.0)
            self._reader.cancel()


def last_error(lines: Sequence[str]) -> str:
    """Return the line that says what went wrong, or an empty text when none does.

    That is the last logged error, error of a command or exception; without one the last line that
    is no log of ours, for a library may have its own way to say it.
    """
    other = ""
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            if _FAILURE.match(line):
                return line.removeprefix("caret serve: ").strip()
            other = other or line.strip()
            continue
        if isinstance(entry, dict) and entry.get("level") in ("error", "critical"):
            return str(entry.get("event", ""))
    return other


def stopped(lines: Sequence[str], status: int | None) -> str:
    """Return one line on why a server is no more.

    ``status`` is that of its process, negative for a signal; None: nobody was told.
    """
    if status is not None and status < 0:
        reason = f"signal {-status}"
    else:
        reason = last_error(lines) or ("no reason given" if status is None else f"status {status}")
    return f"the completion server stopped: {reason}"


def _private_folder() -> Path:
    """Return a new folder (mode 0700) whose path leaves room for a socket's name."""
    for parent in (None, os.environ.get("XDG_RUNTIME_DIR"), "/tmp"):  # noqa: S108 - mkdtemp
        if parent is not None and not Path(parent).is_dir():
            continue
        folder = Path(tempfile.mkdtemp(prefix="caret-", dir=parent))
        if len(os.fsencode(folder / _SOCKET)) <= LONGEST_SOCKET:
            return folder
        folder.rmdir()
    raise CaretError("no folder for a socket has a path short enough; set TMPDIR to a short one")
