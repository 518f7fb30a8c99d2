"""Real `caret serve` and `caret lsp` processes for tests of faults, and a line that goes dead."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import psutil

from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.address import Address, parse_address
from completion.wire.channel import open_channel, wait_until_serving
from completion.wire.environment import child_environment
from lsp.session import LspSession, lsp_command


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Served:
    """A `caret serve` of a test's own, with what it counts."""

    process: subprocess.Popen[bytes]
    address: Address
    metrics: int
    log: Path

    def count(self, name: str, **labels: str) -> float:
        """The sum of the samples called `name` that have these labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if re.match(rf"{name}[ {{]", line) and all(one in line for one in wanted)
        )

    async def reaches(self, count: int, *names: str) -> None:
        """Wait until these gauges have the sum `count`; the test's own timeout is the limit."""
        while sum([await asyncio.to_thread(self.count, name) for name in names]) != count:
            await asyncio.sleep(0.005)

    async def idle(self) -> None:
        """Wait until neither the service nor its engine holds a request."""
        await self.reaches(
            0, "caret_engine_running", "caret_requests_running", "caret_requests_waiting"
        )

    async def ended(self) -> int:
        """Its exit status."""
        return await asyncio.to_thread(self.process.wait, 120)

    def channel(self) -> grpc.aio.Channel:
        return open_channel(self.address)


@contextlib.asynccontextmanager
async def served(
    folder: Path, *words: str, engine: str = "fake", listen: str = ""
) -> AsyncIterator[Served]:
    """A `caret serve` that serves; it is killed at the end if it is still there."""
    metrics = free_port()
    address = parse_address(listen or f"127.0.0.1:{free_port()}")
    log = folder / f"serve-{metrics}.log"
    command = [
        sys.executable, "-m", "completion.cli", "serve", "--engine", engine, "--listen",
        str(address), "--metrics", f"127.0.0.1:{metrics}", *words,
    ]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 - it is killed, which asyncio would tidy up
            command, stdout=out, stderr=out, env=child_environment()
        )
    one = Served(process, address, metrics, log)
    channel = one.channel()
    try:
        await wait_until_serving(channel, timeout_s=120)
        yield one
    finally:
        await channel.close()
        if process.poll() is None:
            process.kill()
        process.wait()


@contextlib.asynccontextmanager
async def connected(address: Address) -> AsyncIterator[rpc.CompletionServiceAsyncStub]:
    channel = open_channel(address)
    try:
        yield rpc.CompletionServiceStub(channel)
    finally:
        await channel.close()


def ask(path: str = "a.py", prefix: bytes = b"x = ", **fields) -> pb.CompleteRequest:
    return pb.CompleteRequest(document=pb.Document(path=path, prefix=prefix), **fields)


def code_of(result: object) -> str:
    """What became of a call that was gathered with its exception."""
    if isinstance(result, grpc.aio.AioRpcError):
        return result.code().name
    assert not isinstance(result, BaseException), result
    return "OK"


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """A user of a test's own, whose `caret lsp` asks for nothing that nobody asked for."""
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    return {
        # Not `home` or in it: a workspace as wide as that is nobody's.
        "HOME": str(home.with_name(f"{home.name}-nobody")),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "CARET_CLIENT_SPECULATE": "false",
        **more,
    }


def lsp_before(address: Address | str, home: Path, **more: str) -> LspSession:
    return LspSession(
        lsp_command("--server", str(address)), environment=environment_of(home, **more)
    )


def serving_child(session: LspSession) -> psutil.Process:
    """The server that an editor with one of its own has."""
    children = psutil.Process(session.process.pid).children()
    (server,) = [child for child in children if "serve" in child.cmdline()]
    return server


def engine_of(server: psutil.Process) -> psutil.Process:
    """The process that holds the model: a child of the fork server, which is the server's."""
    (fork_server,) = [one for one in server.children() if one.children()] or [server]
    return max(fork_server.children(), key=lambda one: one.memory_info().rss)


def integrity(home: Path) -> str:
    """What SQLite says of the feedback store; "ok", or "none" where there is no file."""
    path = home / "state" / "caret" / "feedback.sqlite3"
    if not path.exists():
        return "none"
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA integrity_check").fetchone()[0]


class Line:
    """A TCP line to a service that may go dead without a word, as a lost network does."""

    def __init__(self, to: Address) -> None:
        self._to = to
        self._up = asyncio.Event()
        self._up.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.address = Address(host="127.0.0.1", port=free_port())

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(
            self._accept, self.address.host, self.address.port
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()

    def die(self) -> None:
        self._up.clear()

    def live(self) -> None:
        self._up.set()

    def lose(self) -> None:
        """What is connected now never hears a word again; who connects anew does."""
        self._up.clear()
        self._up = asyncio.Event()
        self._up.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._to.host, self._to.port)
        self._writers += [writer, there[1]]
        for source, sink in ((reader, there[1]), (there[0], writer)):
            task = asyncio.create_task(self._pass_on(source, sink, self._up))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, up: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while True:
                await up.wait()
                data = await source.read(1 << 16)
                await up.wait()
                if not data:
                    sink.close()
                    return
                sink.write(data)
                await sink.drain()
