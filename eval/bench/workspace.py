"""What the workspace model costs, as ratios of one run: a decoding step, the first token, the store.

One engine serves all: each round asks with the workspace and without, in turn, so that a drift of the
machine meets both alike. Steps are the engine's own, with nothing of the service around them; the
first token is a client's, over gRPC.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from completion.config import Config
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.environment import prepare
from completion.engine.vllm import VllmEngine
from completion.errors import CaretError, UsageError
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.workspace.request import Mixing
from eval.bench.context import own_tree
from eval.bench.generated import module, path_of
from eval.bench.in_process import serving
from eval.bench.latency import Row
from eval.bench.workspace_store import Texts, edits, in_core, through_service
from eval.workspace.files import read_files
from eval.workspace.keeper import Held, Keeper

MOST_TOKENS = 1_000_000
"""Of the workspace: what the bars are stated for."""
STEPS = 48
"""Tokens of each answer whose steps are timed, but for the first."""
FEW_STEPS = 8
PROMPT = 600
"""Tokens of the file before the cursor."""
TOGETHER = (1, 16)
STEP_RATIO = 1.05
FIRST_RATIO = 1.10
"""No bar is set for it: what gRPC may cost."""
_CONTEXT = 1500
"""Bytes before a cursor, and half as many behind it."""


async def rows(
    config: Config, workspace: Path | None, generated: int, rounds: int, say: Callable[[str], None]
) -> list[Row]:
    """Return the figures of a workspace: ``workspace``, or so many ``generated`` files, or Caret's.

    Raises:
        UsageError: there is no such folder, no source in it, or the model cannot be mixed into.
        CaretError: the server refused the workspace, or did not fit it.
    """
    prepare(config.model)
    checkpoint = load_checkpoint(config.model.path)
    if checkpoint.unhealed:
        raise UsageError(f"nothing can be mixed into this model: {checkpoint.unhealed}")
    if generated:
        files = {path_of(number): module(number, generated).encode() for number in range(generated)}
    else:
        root = (workspace or own_tree()).absolute()
        if not root.is_dir():
            raise UsageError(f"--workspace {workspace}: there is no such folder")
        files = dict(read_files(root).texts)
    texts = Texts.of(files, checkpoint.encoder, MOST_TOKENS)
    say(f"{len(texts.files):,} files, {texts.count:,} tokens")
    found = in_core(texts, len(checkpoint.vocabulary))
    engine = VllmEngine(checkpoint, config.model)
    async with serving(config, checkpoint, engine) as stub:
        found += await through_service(stub, texts, say)
        found += await edits(engine, stub, checkpoint.encoder, texts, 10 * rounds, say)
        keeper = Keeper(stub.SyncWorkspace)
        try:
            async with keeper.holding(0, texts.files) as held:
                for together in TOGETHER:
                    found.append(await _steps(engine, texts, held, together, rounds, say))
                for together in TOGETHER:
                    found.append(await _first(stub, texts, held, together, rounds, say))
        finally:
            await keeper.close()
    return found


async def _steps(
    engine: VllmEngine,
    texts: Texts,
    held: Held,
    together: int,
    rounds: int,
    say: Callable[[str], None],
) -> Row:
    """Return milliseconds a decoding step with the workspace over those without, medians."""
    rng = random.Random(together)
    prompts = [_prompt(texts, rng) for _ in range(together)]
    room = engine.info.context_tokens - STEPS - 1
    legs: dict[str, list[tuple[list[int], Mixing | None]]] = {"on": [], "off": []}
    for number, (path, ids) in enumerate(prompts):
        ids = ids[-room:]
        mixing = Mixing(
            workspace=held.id, view=f"bench {together} {number}", path=path,
            prefix=(0, len(ids)), suffix=(0, 0), base=len(ids),
        )  # fmt: skip
        legs["on"].append((ids, mixing))
        legs["off"].append((ids, None))
    times: dict[str, list[float]] = {"on": [], "off": []}
    for number in range(rounds + 1):
        for leg in legs if number % 2 else reversed(legs):
            all_took = await asyncio.gather(*(_decode(engine, *one) for one in legs[leg]))
            took = [one for one in all_took if one is not None]
            if not took:
                raise CaretError("the model ends everywhere before there are steps to be timed")
            if number:  # the first fills the cache of prompts
                times[leg].append(statistics.median(took))
    on, off = statistics.median(times["on"]), statistics.median(times["off"])
    ratio = statistics.median(a / b for a, b in zip(times["on"], times["off"], strict=True))
    what = f"a decoding step, workspace over none, {together} at a time"
    say(f"{what}: {on:.3f} ms over {off:.3f} ms, {ratio:.3f}")
    return Row(what, ratio, STEP_RATIO, rounds)


async def _decode(engine: VllmEngine, ids: list[int], mixing: Mixing | None) -> float | None:
    """Return the milliseconds of a step behind the first; ``None``: the model ended before a few."""
    moments: list[float] = []
    tokens = begun = 0
    sampling = Sampling(max_tokens=STEPS, mixing=mixing)
    async with aclosing(engine.generate(ids, sampling, RequestStats())) as steps:
        async for step in steps:
            moments.append(time.perf_counter())
            tokens += len(step.token_ids)
            begun = begun or tokens
    if tokens - begun < FEW_STEPS:
        return None
    return (moments[-1] - moments[0]) * 1e3 / (tokens - begun)


def _prompt(texts: Texts, rng: random.Random) -> tuple[str, list[int]]:
    """Return a path, and the tokens before some place of that file."""
    long = [
        (path, ids)
        for path, ids in zip(texts.files, texts.tokens, strict=True)
        if len(ids) > PROMPT // 2
    ]
    if not long:
        raise UsageError("the workspace has no file long enough to be asked in")
    path, ids = rng.choice(long)
    end = rng.randrange(PROMPT // 2, len(ids) + 1)
    return path, ids[max(0, end - PROMPT) : end].tolist()


async def _first(
    stub: rpc.CompletionServiceAsyncStub,
    texts: Texts,
    held: Held,
    together: int,
    rounds: int,
    say: Callable[[str], None],
) -> Row:
    """Return the time to the first token with the workspace over that without, medians.

    Before each the keystroke before was asked for in the same way, as while somebody types.
    """
    rng = random.Random(together)
    paths = [path for path, text in texts.files.items() if len(text) > _CONTEXT]
    times: dict[str, list[float]] = {held.id: [], "": []}
    for number in range(rounds):
        cursors: list[tuple[str, int]] = []
        for path in rng.choices(paths, k=together):
            cursors.append((path, rng.randrange(2, len(texts.files[path]))))
        for workspace in times if number % 2 else reversed(times):
            await _all([_asked(stub, texts, p, at, workspace, untyped=1) for p, at in cursors])
            found = await _all([_asked(stub, texts, p, at, workspace) for p, at in cursors])
            times[workspace] += [answer.timings.first_token for answer in found]
    on, off = statistics.median(times[held.id]), statistics.median(times[""])
    what = f"first token, workspace over none, {together} at a time"
    say(f"{what}: {on:.1f} ms over {off:.1f} ms")
    return Row(what, on / off, FIRST_RATIO, len(times[""]))


def _asked(
    stub: rpc.CompletionServiceAsyncStub,
    texts: Texts,
    path: str,
    at: int,
    workspace: str,
    *,
    untyped: int = 0,
) -> Awaitable[pb.CompleteResponse]:
    """Ask where a file is typed up to ``at`` but for the last ``untyped`` bytes."""
    text = texts.files[path]
    return stub.Complete(
        pb.CompleteRequest(
            document=pb.Document(
                path=path, prefix=text[max(0, at - _CONTEXT) : at - untyped],
                suffix=text[at : at + _CONTEXT // 2],
            ),
            options=pb.GenerationOptions(max_tokens=4, lines=pb.GenerationOptions.LINES_SINGLE),
            workspace_id=workspace,
        )
    )  # fmt: skip


async def _all(
    answers: Sequence[Awaitable[pb.CompleteResponse]],
) -> list[pb.CompleteResponse]:
    return await asyncio.gather(*answers)
