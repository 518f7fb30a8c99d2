"""Long prompts that arrive while answers are being decoded, and what the prefix cache serves of typing.

The first: how long a token of a running answer is waited for while one prompt after another comes in,
with prompts read whole and in chunks of so many tokens (Agrawal et al., Sarathi-Serve, arXiv 2403.02310).
The second: the share of prompt tokens that a key finds in the cache, by the order of the prompt's parts.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import statistics
from collections.abc import Callable
from pathlib import Path

from completion.config import ModelConfig
from completion.engine.checkpoint import Checkpoint, load_checkpoint
from eval.bench.child import Child
from eval.bench.latency import Row
from eval.bench.places import Place, Places
from eval.bench.times import Work, draw
from eval.metrics.latency import percentile

CHUNKS = (512, 128)
"""Most tokens of a step."""
STREAMS = 4
"""Answers under way."""
STREAM_TOKENS = 160
ARRIVALS = 12
"""Long prompts that come in meanwhile."""
EVERY_MS = 50.0
LONG = 2048
"""Tokens of such a prompt, or all that the model has room for."""
KEYS = 100
DOCUMENTS = 3
OFF, DEFAULT = "whole prompts", "default"


async def rows(
    model: ModelConfig, words: list[str], rounds: int, plot: Path | None, say: Callable[[str], None]
) -> list[Row]:
    """Return gaps with chunks over those without, and shares of the cache.

    Raises:
        CaretError: an engine did not start.
    """
    checkpoint = load_checkpoint(model.path)
    rounds = max(5, rounds // 3)
    context = checkpoint.context_tokens
    long = min(LONG, context - 8)
    places = Places(checkpoint, 8, random.Random(0))
    settings = {
        OFF: ["enable_chunked_prefill=false", f"max_num_batched_tokens={max(4096, context)}"],
        DEFAULT: [],
        **{
            f"chunks of {size}": ["enable_chunked_prefill=true", f"max_num_batched_tokens={size}"]
            for size in CHUNKS
        },
    }
    gaps = Work(name="gap between two tokens", bars={DEFAULT: 0.0})
    first = Work(name=f"{long} tokens, first token", bars={DEFAULT: 0.0})
    worst: dict[str, list[float]] = {name: [] for name in settings}
    async with contextlib.AsyncExitStack() as stack:
        engines: dict[str, Child] = {}
        for name, arguments in settings.items():
            flags = [word for one in arguments for word in ("--engine-arg", one)]
            child = Child("eval.bench.child_engine", *words, *flags)
            engines[name] = await stack.enter_async_context(child)
            say(f"{name} has started")
        for number in range(rounds + 1):
            streams = [places.of(64).prompt for _ in range(STREAMS)]
            arriving = [places.of(long).prompt for _ in range(ARRIVALS)]
            names = list(engines)
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                answers = await engines[name].run(
                    [*streams, *arriving],
                    [STREAM_TOKENS] * STREAMS + [1] * ARRIVALS,
                    fresh=True,
                    after_ms=[0.0] * STREAMS + [EVERY_MS * (i + 1) for i in range(ARRIVALS)],
                )
                if not number:
                    continue
                found = [
                    after - before
                    for answer in answers[:STREAMS]
                    for before, after in itertools.pairwise(answer.at_ms)
                ]
                worst[name].append(percentile(found, 99))
                for gap in found:
                    gaps.add(name, gap)
                for at, answer in enumerate(answers[STREAMS:]):
                    first.add(name, answer.at_ms[0] - EVERY_MS * (at + 1))
        shares = await _cached(checkpoint, engines[DEFAULT], say)
    for work in (gaps, first):
        say(work.shown())
    if plot is not None:
        draw(
            [gaps, first], plot, f"{checkpoint.name}: {long}-token prompts beside {STREAMS} answers"
        )
    return [*_ratios(worst, first, rounds), *shares]


def _ratios(worst: dict[str, list[float]], first: Work, rounds: int) -> list[Row]:
    """Return each setting over whole prompts; the default has to be no worse."""
    found: list[Row] = []
    for name, taken in worst.items():
        if name == OFF:
            continue
        ratio = statistics.median(a / b for a, b in zip(taken, worst[OFF], strict=True))
        bar = 1.1 if name == DEFAULT else None
        found.append(Row(f"gap between two tokens, p99, {name} over {OFF}", ratio, bar, rounds))
        for percent in (50, 95):
            waited = [percentile(first.times[side], percent) for side in (name, OFF)]
            what = f"{first.name}, p{percent}, {name} over {OFF}"
            found.append(Row(what, waited[0] / waited[1], None, rounds))
    return found


async def _cached(checkpoint: Checkpoint, engine: Child, say: Callable[[str], None]) -> list[Row]:
    """Type in each layout that the model has; return what of the prompts is computed again."""
    found: list[Row] = []
    usual = checkpoint.arm().layout
    for layout in checkpoint.template.layouts:
        places = Places(checkpoint, 32, random.Random(1), layout=layout)
        again: list[int] = []
        tokens = 0
        least = 0
        for _ in range(DOCUMENTS):
            before: Place | None = None
            for place in places.typing_somewhere(KEYS):
                (answer,) = await engine.run([place.prompt], 8, fresh=before is None)
                if before is not None:  # the first is no key
                    again.append(len(place.prompt) - answer.cached)
                    tokens += len(place.prompt)
                    least += _new(before.prompt, place.prompt)
                before = place
        computed = sum(again)
        say(
            f"{layout}: {1 - computed / tokens:.1%} of the prompts' tokens came from the cache, "
            f"{1 - least / tokens:.1%} with blocks of one token; a key computes "
            f"{statistics.median(again):g} tokens in the median, {percentile(again, 95)} at p95"
        )
        what = f"share of prompt tokens computed again while typing, {layout}"
        found.append(Row(what, computed / tokens, None, len(again)))
        what = f"tokens computed again a key, p50, {layout}"
        # One block of 32 and what was typed.
        bar = 32 + 4 if layout == usual else None
        found.append(Row(what, statistics.median(again), bar, len(again)))
    return found


def _new(before: list[int], now: list[int]) -> int:
    """Return how many tokens of ``now`` come behind what it shares with ``before``."""
    pairs = enumerate(zip(before, now, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(before), len(now)))
    return len(now) - same
