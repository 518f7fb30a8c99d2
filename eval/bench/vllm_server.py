"""``caret serve`` beside vLLM's own OpenAI server: the same model, engine arguments and typing clients.

What a client wants at each key is the first line: ours is asked for a single line, with exact healing; of
vLLM's ``/v1/completions`` the stop ``"\\n"`` is set, and it is handed the prompt's token ids, so that it is
spared the encoding that ours does. Rounds take the servers in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import grpc.aio

from completion.config import ModelConfig
from completion.engine.checkpoint import Checkpoint, load_checkpoint
from completion.engine.environment import device_of, parse_engine_args, set_environment
from completion.engine.vllm import VllmEngine
from completion.errors import CaretError
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.environment import child_environment
from completion.wire.own_server import OwnServer
from eval.bench.latency import Row
from eval.bench.places import Place, Places
from eval.bench.times import Work, draw
from eval.bench.typists import IN_TIME_MS, Ask, Refused, Typists

CLIENTS = (1, 4, 16, 64)
TOKENS = 32
"""Most of an answer."""
_KEYS = 100
"""Of each document, typed over and over."""
_START_S = 180.0
_NEVER = 1000.0
"""A ratio to nothing, which JSON cannot say."""
OURS, THEIRS = "caret serve", "vLLM's server"


async def rows(
    model: ModelConfig, words: list[str], rounds: int, plot: Path | None, say: Callable[[str], None]
) -> list[Row]:
    """Return vLLM's requests a second over ours, by how many clients type.

    Raises:
        CaretError: a server did not start, and why.
    """
    rounds = max(5, rounds // 6)
    checkpoint = load_checkpoint(model.path)
    places = Places(checkpoint, TOKENS, random.Random(0))
    say(f"{max(CLIENTS)} documents of {_KEYS} keys")
    documents = [places.typing_somewhere(_KEYS) for _ in range(max(CLIENTS))]
    rates: dict[int, dict[str, list[float]]] = {n: {OURS: [], THEIRS: []} for n in CLIENTS}
    times = [Work(name=f"{n} clients", bars={OURS: 0.0}) for n in CLIENTS]
    async with contextlib.AsyncExitStack() as stack:
        theirs = await stack.enter_async_context(_openai_server(model, checkpoint))
        server = await stack.enter_async_context(OwnServer(extra_args=words))
        channel = server.channel()
        stack.push_async_callback(channel.close)
        ours = _grpc(rpc.CompletionServiceStub(channel))
        for name, ask in ((OURS, ours), (THEIRS, theirs)):  # warm up
            say(f"{name} answers {await ask(documents[0][0])!r}")
        typists = {
            (name, n): Typists(ask, documents[:n])
            for n in CLIENTS
            for name, ask in ((OURS, ours), (THEIRS, theirs))
        }
        for number in range(rounds):
            for clients, work in zip(CLIENTS, times, strict=True):
                for name in (OURS, THEIRS) if number % 2 else (THEIRS, OURS):
                    found = await typists[name, clients].best()
                    rates[clients][name].append(found.rate)
                    work.add(name, found.p50_ms)
                    say(
                        f"{clients} clients, {name}: {found.rate:.1f} requests a second, "
                        f"p50 {found.p50_ms:.0f} ms, p95 {found.p95_ms:.0f} ms"
                    )
    if plot is not None:
        draw(times, plot, f"{checkpoint.name}: latency at the highest rate in time")
    return [_row(clients, found, rounds, say) for clients, found in rates.items()]


def _row(
    clients: int, rates: dict[str, list[float]], rounds: int, say: Callable[[str], None]
) -> Row:
    ours, theirs = statistics.median(rates[OURS]), statistics.median(rates[THEIRS])
    say(f"{clients} clients: {ours:.1f} and {theirs:.1f} requests a second")
    what = f"requests/s at p95 <= {IN_TIME_MS:g} ms, {THEIRS} over {OURS}, {clients} typing clients"
    ratio = theirs / ours if ours else (_NEVER if theirs else 1.0)
    return Row(what, ratio, 1.0, rounds)


def _grpc(stub: rpc.CompletionServiceAsyncStub) -> Ask:
    async def ask(place: Place) -> bytes:
        asked = stub.Complete(
            pb.CompleteRequest(
                document=pb.Document(
                    path=place.path, language_id="python", prefix=place.prefix, suffix=place.suffix
                ),
                options=pb.GenerationOptions(
                    max_tokens=TOKENS, lines=pb.GenerationOptions.LINES_SINGLE
                ),
            )
        )
        try:
            answer = await asked
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise Refused from None
            raise
        return answer.candidates[0].text if answer.candidates else b""

    return ask


@contextlib.asynccontextmanager
async def _openai_server(model: ModelConfig, checkpoint: Checkpoint) -> AsyncGenerator[Ask, None]:
    """Start vLLM's server with our engine's arguments; give what asks it; end it."""
    import aiohttp

    device = device_of(model.device)
    set_environment(device, model)
    arguments: dict[str, Any] = VllmEngine(checkpoint, model)._arguments(device)
    arguments |= parse_engine_args(model.engine_args)
    # It gives texts, for which it needs the tokenizer; the bar of loading is not of its parser.
    for name in ("skip_tokenizer_init", "use_tqdm_on_load", "enable_log_requests"):
        arguments.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="caret-bench-") as folder:
        socket, log = f"{folder}/s.sock", Path(folder) / "log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--uds", socket,
                "--disable-uvicorn-access-log", "--disable-log-stats", *_as_flags(arguments),
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                env=child_environment(), start_new_session=True,
            )  # fmt: skip
        connector = aiohttp.UnixConnector(socket, limit=0)
        try:
            async with aiohttp.ClientSession("http://localhost", connector=connector) as session:
                await _until_healthy(session, process, log)

                async def ask(place: Place) -> str:
                    question = {
                        "prompt": place.prompt, "max_tokens": TOKENS, "temperature": 0.0,
                        "stop": ["\n"],
                    }  # fmt: skip
                    async with session.post("/v1/completions", json=question) as answer:
                        found = await answer.json()
                        if answer.status != 200:
                            raise CaretError(f"vLLM's server: {found}")
                        return found["choices"][0]["text"]

                yield ask
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 15)
                except TimeoutError:
                    process.kill()
                    await process.wait()


async def _until_healthy(session: Any, process: asyncio.subprocess.Process, log: Path) -> None:
    import aiohttp

    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.returncode is not None:
            lines = log.read_text("utf-8", "replace").strip().splitlines() or ["it said nothing"]
            raise CaretError(
                f"vLLM's server did not start ({lines[-1][:200]}); a missing module comes with "
                "pip install 'caret-completion[peers]'"
            )
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with session.get("/health") as answer:
                if answer.status == 200:
                    return
        await asyncio.sleep(0.1)
    raise CaretError("vLLM's server did not start in time")


def _as_flags(arguments: dict[str, Any]) -> list[str]:
    """Return engine arguments as the flags of vLLM's command line."""
    flags: list[str] = []
    for name, value in arguments.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            flags += [f"--{flag}", str(value)]
    return flags
