"""What drafts are worth: the time of a token, and of a whole completion, with them over without.

Two services in this process, one drafts and one does not; each round asks both for the same cursors
of real files, in turn, so that a drift of the machine meets both alike. Cursors have the rest of
their package as a workspace, fitted, or their own document alone.
"""

from __future__ import annotations

import asyncio
import importlib.util
import random
import statistics
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from completion.config import Config, ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import Checkpoint, load_checkpoint
from completion.engine.environment import prepare
from completion.engine.vllm import VllmEngine
from completion.errors import UsageError
from completion.prompt.views import DocumentView
from completion.server.held_workspace import View
from completion.server.surroundings import Surroundings
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.workspace.request import Mixing
from eval.bench.in_process import serving
from eval.bench.latency import Row
from eval.workspace.files import read_files
from eval.workspace.keeper import Held, Keeper

PACKAGE = "rich"
"""Installed wherever Caret is; the bundled model has not seen it."""
TOKENS = 64
"""Most tokens of an answer, fewer where the model ends."""
TOGETHER = (1, 16)
WORTH = 1 / 1.15
"""The bar of a single request: what drafts have to be worth to be on by default."""
_LEAST = 600
"""Bytes before a cursor, at least."""
_BEHIND = 20_000
_VIEW = "bench"


@dataclass(frozen=True, slots=True)
class Leg:
    """One service, and the engine in it."""

    engine: VllmEngine
    stub: rpc.CompletionServiceAsyncStub
    held: Held


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a file."""

    path: str
    prefix: bytes
    suffix: bytes


async def rows(
    config: Config, workspace: Path | None, rounds: int, say: Callable[[str], None]
) -> list[Row]:
    """Return the ratios, of files of the folder ``workspace`` or of an installed package.

    Raises:
        UsageError: there is no such folder, no source in it, or this engine has no drafts.
    """
    files = _files(workspace)
    prepare(config.model)
    checkpoint = load_checkpoint(config.model.path)
    drafts = config.model.draft_tokens or ModelConfig().draft_tokens or 6
    async with AsyncExitStack() as stack:
        legs = {
            name: await stack.enter_async_context(_serving(config, checkpoint, files, number))
            for name, number in (("on", drafts), ("off", 0))
        }
        found: list[Row] = []
        for what, mixed in (("workspace fitted", True), ("document alone", False)):
            for together in TOGETHER:
                how = f"{what}, {together} at a time"
                bar = WORTH if together == 1 else 1.0
                found.append(
                    await _tokens(checkpoint, legs, files, how, mixed, together, rounds, bar, say)
                )
                found.append(await _whole(legs, files, how, mixed, together, rounds, say))
        return found


def sources(workspace: Path | None) -> Mapping[str, bytes]:
    """Return the texts of a folder by path, of an installed package where none is named.

    Raises:
        UsageError: there is no such folder, or no such package.
    """
    if workspace is None:
        found = importlib.util.find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise UsageError(f"{PACKAGE} is not installed; name a folder with --workspace")
        workspace = Path(found.origin).parent
    if not workspace.is_dir():
        raise UsageError(f"--workspace {workspace}: there is no such folder")
    return read_files(workspace.absolute()).texts


def _files(workspace: Path | None) -> Mapping[str, bytes]:
    texts = sources(workspace)
    if not any(len(text) > 2 * _LEAST for text in texts.values()):
        raise UsageError(
            f"--workspace {workspace or PACKAGE}: no file is long enough to be asked in"
        )
    return texts


@asynccontextmanager
async def _serving(
    config: Config, checkpoint: Checkpoint, files: Mapping[str, bytes], drafts: int
) -> AsyncGenerator[Leg]:
    engine = VllmEngine(checkpoint, replace(config.model, draft_tokens=drafts))
    async with serving(config, checkpoint, engine) as stub:
        keeper = Keeper(stub.SyncWorkspace)
        try:
            if drafts and not engine.drafts:
                raise UsageError("this engine has no drafts; there is nothing to measure")
            async with keeper.holding(0, files) as held:
                yield Leg(engine, stub, held)
        finally:
            await keeper.close()


def _cursors(files: Mapping[str, bytes], rng: random.Random, count: int) -> list[Cursor]:
    found: list[Cursor] = []
    for path in rng.choices([p for p, text in files.items() if len(text) > 2 * _LEAST], k=count):
        text = files[path]
        at = rng.randrange(_LEAST, len(text) - _LEAST // 2)
        found.append(Cursor(path, text[max(0, at - _BEHIND) : at], text[at : at + _BEHIND]))
    return found


async def _tokens(
    checkpoint: Checkpoint, legs: Mapping[str, Leg], files: Mapping[str, bytes], how: str,
    mixed: bool, together: int, rounds: int, bar: float, say: Callable[[str], None],
) -> Row:  # fmt: skip
    """Return the engine's milliseconds a token behind the first, with drafts over without."""
    rng = random.Random(f"tokens {how}")
    builder = checkpoint.prompt_builder()
    around = Surroundings(checkpoint.encoder)
    times: dict[str, list[float]] = {name: [] for name in legs}
    before, drew = await _confirmed(legs["on"].engine), 0
    for number in range(rounds + 1):
        cursors = _cursors(files, rng, together)
        for name in legs if number % 2 else reversed(list(legs)):
            leg = legs[name]
            asked: list[tuple[list[int], Mixing | None]] = []
            for cursor in cursors:
                view = DocumentView(prefix=cursor.prefix, suffix=cursor.suffix, path=cursor.path)
                prompt = builder.build(view, max_tokens=TOKENS)
                mixing = None
                if mixed:
                    seen = View(leg.held.id, _VIEW, cursor.path)
                    mixing = seen.mixing(prompt, around.of(view, prompt))
                asked.append((prompt.token_ids, mixing))
            stop = checkpoint.stop_ids
            made = await asyncio.gather(*(_decode(leg.engine, *one, stop) for one in asked))
            tokens = sum(count for count, _ in made)
            drew += tokens if name == "on" else 0
            if number and tokens:  # the first round warms up
                times[name].append(sum(took for _, took in made) / tokens)
    row = _ratio(f"ms a token, drafts over none, {how}", times, bar, say)
    steps = drew - (await _confirmed(legs["on"].engine) - before)
    say(f"  {drew / max(1, steps):.2f} tokens a step with drafts")
    return row


async def _confirmed(engine: VllmEngine) -> int:
    """Return how many drafts have been right so far."""
    await engine.running()
    return engine.work.accepted


async def _decode(
    engine: VllmEngine, ids: list[int], mixing: Mixing | None, stop: tuple[int, ...]
) -> tuple[int, float]:
    """Return the tokens behind the first step, and the milliseconds that they took."""
    begun = last = 0.0
    tokens = 0
    sampling = Sampling(max_tokens=TOKENS, mixing=mixing, stop_token_ids=stop)
    async with aclosing(engine.generate(ids, sampling, RequestStats())) as stepping:
        async for step in stepping:
            last = time.perf_counter()
            if begun:
                tokens += len(step.token_ids)
            begun = begun or last
    return tokens, (last - begun) * 1e3


async def _whole(
    legs: Mapping[str, Leg], files: Mapping[str, bytes], how: str,
    mixed: bool, together: int, rounds: int, say: Callable[[str], None],
) -> Row:  # fmt: skip
    """Return the milliseconds of a whole answer of the service, with drafts over without."""
    rng = random.Random(f"whole {how}")
    times: dict[str, list[float]] = {name: [] for name in legs}
    for number in range(rounds + 1):
        cursors = _cursors(files, rng, together)
        for name in legs if number % 2 else reversed(list(legs)):
            leg = legs[name]
            answers = await asyncio.gather(
                *(
                    leg.stub.Complete(
                        pb.CompleteRequest(
                            document=pb.Document(path=c.path, prefix=c.prefix, suffix=c.suffix),
                            workspace_id=leg.held.id if mixed else "",
                        )
                    )
                    for c in cursors
                )
            )
            if number:
                times[name].append(statistics.fmean(a.timings.total for a in answers))
    return _ratio(f"a whole completion, drafts over none, {how}", times, 1.0, say)


def _ratio(
    what: str, times: Mapping[str, list[float]], bar: float, say: Callable[[str], None]
) -> Row:
    """Return the median of the rounds' ratios."""
    on, off = times["on"], times["off"]
    ratio = statistics.median(a / b for a, b in zip(on, off, strict=True))
    shown = f"{statistics.median(on):.2f} ms over {statistics.median(off):.2f} ms"
    say(f"{what}: {shown}, {ratio:.3f}; of the sums {sum(on) / sum(off):.3f}")
    return Row(what, ratio, bar, len(on))
