"""Start and memory of ``caret serve`` and ``caret lsp``, beside the least that each could take.

The floor of the service is a process that imports torch and vLLM and builds the engine with the same
arguments, and nothing else: no fork server, no gRPC. That of the language server is one that imports its two
libraries. Starts and floors are taken in turn. Memory is that of all processes together: PSS counts what
several of them share once, RSS in each.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from completion.errors import CaretError
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.environment import child_environment
from completion.wire.own_server import OwnServer
from eval.bench.child import tree
from eval.bench.latency import Row
from eval.bench.times import Work, draw
from lsp.session import LspSession, lsp_command

SERVING_S, INITIALIZE_S = 12.0, 1.0
"""Bars, in seconds."""
_ASKED = 50
"""Completions before memory is read."""
_SOURCE = Path(__file__).parents[2] / "completion" / "server" / "completer.py"
_LSP_FLOOR = "import pygls.lsp.server, lsprotocol.types"


async def rows(
    words: list[str], starts: int, plot: Path | None, say: Callable[[str], None]
) -> list[Row]:
    """Return seconds and their ratios to the floors, medians of ``starts``, and MB at the end.

    Raises:
        CaretError: something did not start.
    """
    serve = Work(name="start of the service", bars={"caret serve": 0.0})
    lsp = Work(name="start of the language server", bars={"caret lsp": 0.0})
    memory: list[Row] = []
    floor = ("-m", "eval.bench.bare_engine", *words)
    for number in range(starts):
        begun = time.perf_counter()
        async with OwnServer(extra_args=words) as server:
            serve.add("caret serve", (time.perf_counter() - begun) * 1e3)
            if number == starts - 1:
                memory += _memory("the service, serving", server.pid)
                await _use(server)
                memory += _memory(f"the service, after {_ASKED} completions", server.pid)
                lsp_memory = await _lsp_memory(str(server.address))
                memory += lsp_memory
        serve.add("torch, vLLM and a bare engine", await _python(*floor))
        for _ in range(2):  # it is short
            lsp.add("caret lsp", await _initialize_ms())
            lsp.add("pygls and lsprotocol imported", await _python("-c", _LSP_FLOOR))
        say(
            f"start {number + 1} of {starts}: service {serve.times['caret serve'][-1] / 1e3:.2f} s, "
            f"bare {serve.times['torch, vLLM and a bare engine'][-1] / 1e3:.2f} s; language server "
            f"{lsp.times['caret lsp'][-1]:.0f} ms, imports "
            f"{lsp.times['pygls and lsprotocol imported'][-1]:.0f} ms"
        )
    if plot is not None:
        draw([serve, lsp], plot, "start, p50, whiskers to p95")
    return [
        Row("caret serve to SERVING, s", _median(serve, "caret serve") / 1e3, SERVING_S, starts),
        _over(serve, "caret serve", "torch, vLLM and a bare engine"),
        Row(
            "caret lsp to initialize, s", _median(lsp, "caret lsp") / 1e3, INITIALIZE_S, 2 * starts
        ),
        _over(lsp, "caret lsp", "pygls and lsprotocol imported"),
        *memory,
    ]


def _median(work: Work, side: str) -> float:
    return statistics.median(work.times[side])


def _over(work: Work, ours: str, floor: str) -> Row:
    """Return the ratio, pair by pair; no bar is set for it."""
    pairs = list(zip(work.times[ours], work.times[floor], strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    return Row(f"{work.name} over {floor}", ratio, None, len(pairs))


async def _python(*words: str) -> float:
    """Return the milliseconds of a process of this interpreter, from start to end.

    One that writes a line is over with it.
    """
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdin=asyncio.subprocess.DEVNULL, env=child_environment(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.readline()
    taken = (time.perf_counter() - begun) * 1e3
    _, said = await process.communicate()
    if process.returncode:
        raise CaretError(f"{' '.join(words)}: {said.decode('utf-8', 'replace').strip()[-300:]}")
    return taken


async def _initialize_ms() -> float:
    """Return the milliseconds from starting ``caret lsp`` to the answer to ``initialize``."""
    begun = time.perf_counter()
    # An address nobody listens at: no server is started beside it.
    async with LspSession(lsp_command("--server", "unix:/nonexistent/caret.sock")) as session:
        await session.initialize()
        return (time.perf_counter() - begun) * 1e3


async def _use(server: OwnServer) -> None:
    """Complete at places all over a file."""
    text = _SOURCE.read_bytes()
    channel = server.channel()
    try:
        stub = rpc.CompletionServiceStub(channel)
        for number in range(_ASKED):
            at = len(text) * (number + 1) // (_ASKED + 1)
            document = pb.Document(path=_SOURCE.name, prefix=text[:at], suffix=text[at:])
            await stub.Complete(pb.CompleteRequest(document=document))
    finally:
        await channel.close()


async def _lsp_memory(address: str) -> list[Row]:
    """Return what ``caret lsp`` takes with a folder of one file, after a completion."""
    text = _SOURCE.read_text("utf-8")
    with tempfile.TemporaryDirectory(prefix="caret-bench-") as folder:
        path = Path(folder) / _SOURCE.name
        path.write_text(text, "utf-8")
        async with LspSession(lsp_command("--server", address)) as session:
            await session.initialize(Path(folder))
            await session.ready()
            uri = session.open(path, text)
            await session.complete(uri, text.count("\n") // 2, 0)
            return _memory("the language server, after a completion", session.process.pid)


def _memory(what: str, pid: int) -> list[Row]:
    processes = tree(pid)
    return [
        Row(f"{what}, PSS of {len(processes)} processes, MB", _mb(processes, "pss"), None, 1),
        Row(f"{what}, RSS of {len(processes)} processes, MB", _mb(processes, "rss"), None, 1),
    ]


def _mb(processes: Sequence[psutil.Process], kind: str) -> float:
    return sum(getattr(one.memory_full_info(), kind) for one in processes) / 1e6
