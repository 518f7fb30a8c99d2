"""A decoding step beside the least it could take, where its time goes, and what settings change.

The least: every weight is read once a token, and so is what attention looks back at. What a second of
reading brings is measured beside it with as many threads: from a buffer that no cache holds, and from one
as large as the weights, which for a small model is the cache's figure. Settings are engines of their own, a
few beside the default one at a time, and asked in turn with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from completion.config import ModelConfig
from completion.engine.checkpoint import Checkpoint, load_checkpoint
from completion.engine.kv_cache import kv_bytes_a_token
from completion.engine.weights import header, weight_files
from completion.errors import CaretError
from eval.bench.child import Child
from eval.bench.latency import Row
from eval.bench.places import TYPED
from eval.bench.step_parts import STEP
from eval.bench.times import Work, draw

PROMPT = 600
"""Tokens before the first decoding step."""
STEPS = 65
"""Tokens of an answer: the steps behind the first are timed."""
_AHEAD = 100
"""Tokens that the keystroke before the measured one did not have: three blocks of 32 and some."""
_TOGETHER = 3
"""Engines beside the default one: each holds some gigabytes."""
STEP_NAME, KEY_NAME, COLD_NAME = "a decoding step", "next key", f"{PROMPT} tokens"
"""What is timed: a step, and the first token with a cached prompt and with none."""
_LARGE_BYTES = 1 << 29
"""Of the buffer that no cache holds."""
_CACHED_READS = 40
_EXTENSION = "worker_extension_cls=eval.bench.step_parts.StepParts"
_TCMALLOC = (
    "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4",
    "/usr/lib64/libtcmalloc_minimal.so.4",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """How an engine is started, other than by default."""

    name: str
    environment: dict[str, str | None] = field(default_factory=dict[str, str | None])
    words: tuple[str, ...] = ()
    calls: tuple[tuple[str, list[Any]], ...] = ()
    """Methods of the worker, called before anything is measured."""


DEFAULT = Setting(name="default", words=("--engine-arg", _EXTENSION))


def settings() -> list[Setting]:
    """Return what can be tried here."""
    found = [
        Setting(
            name="a step a call",
            words=("--engine-arg", _EXTENSION), calls=(("caret_step_by_step", []),),
        ),
        Setting(
            name="calls of 100 ms",
            words=("--engine-arg", _EXTENSION), calls=(("caret_long", [0.1]),),
        ),
        Setting(
            name="vLLM's own way through the layers",
            words=("--engine-arg", _EXTENSION), calls=(("caret_own_forward", []),),
        ),
        Setting(
            name="all threads in every step",
            words=("--engine-arg", _EXTENSION), calls=(("caret_alone", [0]),),
        ),
        Setting(name="OMP_NUM_THREADS=1", environment={"OMP_NUM_THREADS": "1"}),
        Setting(name="OMP_WAIT_POLICY=passive", environment={"OMP_WAIT_POLICY": "passive"}),
        Setting(name="OMP_WAIT_POLICY=active", environment={"OMP_WAIT_POLICY": "active"}),
        Setting(name="block_size=128", words=("--engine-arg", "block_size=128")),
        Setting(name="uvloop", words=("--uvloop",)),
        Setting(
            name="no cycle collector in the engine core",
            words=("--engine-arg", _EXTENSION), calls=(("caret_collect", [False]),),
        ),
        Setting(
            name="the worker in a process of its own",
            environment={"VLLM_ENABLE_V1_MULTIPROCESSING": "1"},
            words=("--engine-arg", "distributed_executor_backend=mp"),
        ),
    ]  # fmt: skip
    for library in _TCMALLOC:
        if Path(library).exists():
            found.append(Setting(name="tcmalloc preloaded", environment={"LD_PRELOAD": library}))
            break
    return found


async def rows(
    model: ModelConfig,
    words: list[str],
    second: str | None,
    rounds: int,
    plot: Path | None,
    say: Callable[[str], None],
) -> list[Row]:
    """Return a step over its limits, the shares of its parts, and settings over the default.

    ``second``: another model, its int8 export for one, as one of the settings.

    Raises:
        CaretError: an engine did not start.
    """
    checkpoint = load_checkpoint(model.path)
    text = TYPED.read_bytes()
    prompt = checkpoint.encoder.encode(text)[:PROMPT]
    rounds = max(5, rounds)
    measured = {
        STEP_NAME: Work(name=STEP_NAME, bars={DEFAULT.name: 0.0}),
        KEY_NAME: Work(name=KEY_NAME, bars={DEFAULT.name: 0.0}),
        COLD_NAME: Work(name=COLD_NAME, bars={DEFAULT.name: 0.0}),
    }
    reading: dict[str, list[float]] = {"memory": [], "a buffer as large": []}
    weights = _weights_read(checkpoint)
    over: list[Row] = []
    tried = settings()
    if second is not None:
        tried.append(Setting(name=f"the model {Path(second).name}", words=("--model", second)))
    async with Child("eval.bench.child_engine", *words, *DEFAULT.words) as default:
        for start in range(0, len(tried), _TOGETHER):
            async with contextlib.AsyncExitStack() as stack:
                engines = {DEFAULT.name: default}
                for setting in tried[start : start + _TOGETHER]:
                    child = await _started(stack, setting, words, say)
                    if child is not None:
                        engines[setting.name] = child
                times = await _in_turn(engines, prompt, rounds)
                for _ in range(5):
                    reading["memory"].append(await asyncio.to_thread(_rate, _LARGE_BYTES, 1))
                    again = await asyncio.to_thread(_rate, weights, _CACHED_READS)
                    reading["a buffer as large"].append(again)
            over += _over_default(times)
            for what, by_name in times.items():
                for name, taken in by_name.items():
                    measured[what].times.setdefault(name, []).extend(taken)
        await default.ask(call="caret_parts_begin", args=[])
        for _ in range(rounds):
            await default.run([prompt], STEPS, fresh=False)
        (parts,) = (await default.ask(call="caret_parts_end", args=[]))["said"]
    for work in measured.values():
        say(work.shown())
    if plot is not None:
        draw(list(measured.values()), plot, f"{checkpoint.name}: settings, p50, whiskers to p95")
    usual = statistics.median(measured[STEP_NAME].times[DEFAULT.name])
    return [
        *_limits(checkpoint, weights, usual, reading, say),
        *_shares(parts, rounds, say),
        *sorted(over, key=lambda row: list(measured).index(row.name.partition(":")[0])),
    ]


async def _started(
    stack: contextlib.AsyncExitStack,
    setting: Setting,
    words: list[str],
    say: Callable[[str], None],
) -> Child | None:
    """Return an engine with the setting, or nothing where it does not start."""
    child = Child(
        "eval.bench.child_engine", *words, *setting.words, environment=setting.environment
    )
    try:
        await stack.enter_async_context(child)
    except CaretError as error:
        say(f"{setting.name} does not start here: {error}")
        return None
    for method, args in setting.calls:
        await child.ask(call=method, args=args)
    say(f"{setting.name} has started")
    return child


async def _in_turn(
    engines: dict[str, Child], prompt: list[int], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Return milliseconds by what was done and by engine, one entry a round, the first left out."""
    found: dict[str, dict[str, list[float]]] = {
        what: {name: [] for name in engines} for what in (STEP_NAME, KEY_NAME, COLD_NAME)
    }
    names = list(engines)
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            engine = engines[name]
            (first,) = await engine.run([prompt], 1, fresh=True)
            await engine.run([prompt[:-_AHEAD]], 1, fresh=True)
            (answer,) = await engine.run([prompt], STEPS, fresh=False)
            if number:
                found[COLD_NAME][name].append(first.at_ms[0])
                found[KEY_NAME][name].append(answer.at_ms[0])
                step = (answer.at_ms[-1] - answer.at_ms[0]) / (len(answer.at_ms) - 1)
                found[STEP_NAME][name].append(step)
    return found


def _limits(
    checkpoint: Checkpoint,
    weights: int,
    step_ms: float,
    reading: dict[str, list[float]],
    say: Callable[[str], None],
) -> list[Row]:
    described = json.loads((checkpoint.path / "config.json").read_text("utf-8"))
    cache = kv_bytes_a_token(described, 2) * (PROMPT + STEPS // 2)
    found: list[Row] = []
    for where, rates in reading.items():
        rate = statistics.median(rates)
        least = (weights + cache) / rate * 1e3
        say(
            f"a step reads {weights / 1e6:.1f} MB of weights and {cache / 1e6:.2f} MB of cache, "
            f"{rate / 1e9:.1f} GB/s from {where}: {least:.3f} ms of {step_ms:.3f} ms"
        )
        what = f"a decoding step over reading its bytes once from {where}"
        found.append(Row(what, step_ms / least, None, len(rates)))
    return found


def _shares(parts: dict[str, list[float]], rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Return what share of a step each part takes, the largest first."""
    steps = parts[STEP][0]
    whole = sum(seconds for _, seconds in parts.values())
    say(f"engine core, {whole / steps * 1e3:.3f} ms a step:")
    found: list[Row] = []
    for name, (_, seconds) in sorted(parts.items(), key=lambda item: -item[1][1]):
        say(f"  {seconds / steps * 1e3:.3f} ms  {name}")
        found.append(Row(f"share of a step: {name}", seconds / whole, None, rounds))
    return found


def _over_default(times: dict[str, dict[str, list[float]]]) -> list[Row]:
    """Return each setting over the default, the median of the rounds' ratios."""
    found: list[Row] = []
    for what, by_name in times.items():
        usual = by_name[DEFAULT.name]
        for name, taken in by_name.items():
            if name != DEFAULT.name:
                pairs = zip(taken, usual, strict=True)
                ratio = statistics.median(one / other for one, other in pairs)
                found.append(Row(f"{what}: {name} over default", ratio, None, len(taken)))
    return found


def _rate(size: int, times: int) -> float:
    """Return how many bytes a second are read of a buffer of ``size``, by the engine's threads."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    buffer = torch.ones(size // 8, dtype=torch.int64)
    buffer.sum()
    begun = time.perf_counter()
    for _ in range(times):
        buffer.sum()
    return size * times / (time.perf_counter() - begun)


def _weights_read(checkpoint: Checkpoint) -> int:
    """Return the bytes of weights that a token needs: all, but of an embedding of its own one row."""
    sizes: dict[str, int] = {}
    for file in weight_files(checkpoint.path):
        for name, tensor in json.loads(header(file)).items():
            if name != "__metadata__":
                begin, end = tensor["data_offsets"]
                sizes[name] = end - begin
    if "lm_head.weight" in sizes:
        sizes.pop("model.embed_tokens.weight", None)
    return sum(sizes.values())
