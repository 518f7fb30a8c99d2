"""One ``caret serve`` for all editors of a user: found where it runs, else started.

Its socket lies in the user's private runtime folder under a digest of what makes two servers differ
(model, options, version), so that those who want the same find the same. It belongs to none of its
clients: it ends by itself when no client has been connected for a while, and whichever client notices
that it died starts the next, one of them (:mod:`completion.wire.start_lock`).

A client holds a ``Watch`` of the health service. The server counts that as being connected, and the
client learns from it at once when the server is no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from completion.errors import CaretError
from completion.wire.address import Address, parse_address
from completion.wire.channel import SERVICE_NAME
from completion.wire.environment import child_environment
from completion.wire.own_server import stopped
from completion.wire.server_log import ServerLog
from completion.wire.start_lock import CAN_LOCK, StartLock
from completion.wire.started_server import AS_CONFIGURED_BY_NOBODY, StartedServer
from completion.wire.user_folders import runtime_folder

_POLL_S = 0.03
_AGAIN_S = 0.1
_LAST_S = 10.0
"""How long a server that no longer answers may take to end, before another one is started."""
_REAPED_S = 1.0
"""How long one may take whose connection broke, before that is said without its exit status."""
_SERVING = health_pb2.HealthCheckResponse.SERVING


class CannotShare(CaretError):
    """Nothing can be shared on this machine; a server of one's own still can be had."""


def can_share() -> bool:
    """Whether this system has what sharing needs: unix sockets and locks that end with a process."""
    return CAN_LOCK and hasattr(socket, "AF_UNIX")


class SharedServer(StartedServer):
    """The shared server as one client has it.

    ``identity`` is what must be equal for two clients to share; ``extra_args`` go to ``caret serve``
    behind its address and belong to the identity. ``idle_s`` is how long it stays without a client.
    """

    def __init__(
        self,
        *,
        identity: Sequence[str],
        idle_s: float,
        extra_args: Sequence[str] = (),
        start_timeout_s: float = 120.0,
        on_stage: Callable[[str], None] = lambda stage: None,
    ) -> None:
        self._extra_args = tuple(extra_args)
        self._idle_s = idle_s
        self._start_timeout_s = start_timeout_s
        self._on_stage = on_stage
        if not can_share():
            raise CannotShare("this system has no unix sockets or no locks to share a server by")
        name = digest([*identity, *self._extra_args])
        try:
            folder = runtime_folder(f"{name}.sock")
        except CaretError as error:
            raise CannotShare(f"no folder for its socket ({error.message})") from None
        self._address = parse_address(f"unix:{folder / name}.sock")
        self._lock = StartLock(folder / f"{name}.lock")
        self._log = ServerLog.named(name, otherwise=folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: grpc.aio.Channel | None = None
        self._watch: Any = None

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._address

    @property
    def pid(self) -> int:
        """Its process id, as whoever started it wrote it down; 0: not known."""
        return self._lock.owner()

    async def start(self) -> None:
        """Find it or start it; return when it serves.

        Raises:
            CaretError: it ended while starting, or does not serve in time.
        """
        end = asyncio.get_running_loop().time() + self._start_timeout_s
        try:
            self._on_stage("starting")
            while True:
                await self._find_or_start(end)
                self._on_stage("loading the model")
                if await self._served_until(end):
                    break
                # It went while we came: it was idle, was killed, or failed to load.
                await self._raise_if_failed()
                await asyncio.sleep(_AGAIN_S)
            self._on_stage("serving")
        except BaseException:
            await self.stop()
            raise

    async def wait_ended(self) -> str:
        """Return, once it has ended or is about to, one line on why."""
        with contextlib.suppress(grpc.aio.AioRpcError):
            async for answer in self._watch:
                if answer.status != _SERVING:
                    break
        return stopped(self._log.lines(), await self._status(_REAPED_S))

    async def stop(self) -> None:
        """Leave it; it goes on for others. Safe to repeat."""
        self._lock.release()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._channel is not None:
            await self._channel.close(None)
            self._channel = None

    async def _find_or_start(self, end: float) -> None:
        """Return when something listens. Nobody else starts one meanwhile."""
        if listens(self._address):
            return
        await self._lock.acquire(self._left(end))
        try:
            if listens(self._address):
                return
            self._process = self._spawn()
            self._lock.note(self._process.pid)
        finally:
            self._lock.release()  # the process that was started holds it on until it listens
        while not listens(self._address):
            if self._process.poll() is not None:
                raise CaretError(stopped(self._log.lines(), self._process.returncode))
            if not self._left(end):
                raise CaretError(self._late("no answer"))
            await asyncio.sleep(_POLL_S)

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start the server in a session of its own: it outlives this process and its terminal."""
        command = [
            sys.executable, "-m", "completion.cli", "serve", "--listen", str(self._address),
            *AS_CONFIGURED_BY_NOBODY, "--exit-when-idle", str(self._idle_s),
            "--start-lock", str(self._lock.fd), *self._extra_args,
        ]  # fmt: skip
        try:
            with self._log.opened() as log:
                return subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=child_environment(), start_new_session=True, pass_fds=(self._lock.fd,),
                    cwd=Path(self._address.path).parent,  # not a folder that somebody will remove
                )  # fmt: skip
        except OSError as error:
            raise CaretError(f"`caret serve` cannot be started: {error.strerror}") from None

    async def _served_until(self, end: float) -> bool:
        """Watch it until it serves; False: it went away before."""
        await self.stop()
        self._channel = self.channel()
        stub = health_pb2_grpc.HealthStub(self._channel)
        request = health_pb2.HealthCheckRequest(service=SERVICE_NAME)
        self._watch = stub.Watch(request)  # pyright: ignore[reportAttributeAccessIssue] - untyped
        said = "no answer"
        try:
            async with asyncio.timeout(self._left(end)):
                async for answer in _until_broken(self._watch):
                    if answer.status == _SERVING:
                        return True
                    said = "still loading"
        except TimeoutError:
            raise CaretError(self._late(said)) from None
        return False

    async def _raise_if_failed(self) -> None:
        """Raise why the server that we started ended; nothing where it was another's, or in order."""
        status = await self._status(_LAST_S)
        self._process = None
        if status:
            raise CaretError(stopped(self._log.lines(), status))

    async def _status(self, seconds: float) -> int | None:
        """Return the exit status of the server, once it has one; None: it is not ours to know."""
        process = self._process
        if process is None:
            return None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while process.poll() is None:
                    await asyncio.sleep(_POLL_S)
        return process.returncode

    def _late(self, said: str) -> str:
        by = f", process {self.pid}" if self.pid else ""
        return (
            f"the shared server{by} did not come up within {self._start_timeout_s:.0f} s ({said})"
        )

    def _left(self, end: float) -> float:
        return max(0.0, end - asyncio.get_running_loop().time())


def digest(words: Sequence[str]) -> str:
    """Return a name for what ``words`` spell, 16 hexadecimal digits."""
    text = b"".join(os.fsencode(word) + b"\0" for word in words)
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def listens(address: Address) -> bool:
    """Tell whether a process listens on a socket, however busy it is. Does not wait."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(address.path)
        except BlockingIOError:  # it listens, and has more callers than it takes at once
            return True
        except OSError:
            return False
    return True


async def _until_broken(watch: Any) -> AsyncIterator[Any]:
    with contextlib.suppress(grpc.aio.AioRpcError):
        async for answer in watch:
            yield answer
