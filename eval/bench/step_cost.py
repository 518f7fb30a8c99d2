"""What a decoding step takes with so many drafts behind what is known, right or wrong, of one request.

Two engines as ``caret serve`` builds them: one without drafts, and one in which drafts are replaced by a
token that is never right, so that a step has the rows of its drafts and brings one token.
"""

from __future__ import annotations

import statistics
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Any

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import Checkpoint
from completion.engine.vllm import VllmEngine
from completion.errors import UsageError

DRAFTS = (0, 1, 2, 4, 6, 10, 20, 40, 80)
STEPS = 33
"""Tokens of an answer: the steps behind the first are timed."""
_EXTENSION = "worker_extension_cls=eval.bench.step_cost.Wrong"


class Wrong:
    """Mixed into vLLM's worker; ``collective_rpc`` calls its method by name."""

    model_runner: Any

    def caret_draft_wrongly(self, count: int, token: int) -> None:
        """Have each request draft ``token`` so many times in every step."""

        def propose(sampled: Sequence[Sequence[int]], *_: Any, **__: Any) -> list[list[int]]:
            return [[token] * count if drawn else [] for drawn in sampled]

        self.model_runner.drafter.propose = propose


async def costs(
    checkpoint: Checkpoint, model: ModelConfig, prompt: list[int], wrong: int, rounds: int,
    say: Callable[[str], None],
) -> dict[int, float]:  # fmt: skip
    """Return the milliseconds of a step by its drafts, medians; −1: of an engine that has none.

    ``wrong``: a token that the model never draws.

    Raises:
        UsageError: this engine has no drafts.
    """
    most = max(DRAFTS)
    arguments = (*model.engine_args, _EXTENSION)
    times: dict[int, list[float]] = {count: [] for count in (-1, *DRAFTS)}
    async with AsyncExitStack() as stack:
        engines: list[VllmEngine] = []
        for drafts in (0, most):
            config = replace(model, draft_tokens=drafts, engine_args=arguments)
            engines.append(VllmEngine(checkpoint, config))
            await engines[-1].start()
            stack.push_async_callback(engines[-1].stop)
        without, drafting = engines
        if not drafting.drafts:
            raise UsageError("this engine has no drafts; there is nothing to measure")
        llm: Any = drafting._llm
        for number in range(rounds + 1):
            for count, taken in times.items():
                engine = without if count < 0 else drafting
                if count >= 0:
                    await llm.collective_rpc("caret_draft_wrongly", args=(count, wrong))
                took = await _step(engine, prompt)
                if number:  # the first round warms up
                    taken.append(took)
    found = {count: statistics.median(taken) for count, taken in times.items()}
    shown = ", ".join(f"{count}: {found[count]:.2f}" for count in DRAFTS)
    say(f"ms a step, without drafts {found[-1]:.2f}; with so many, all of them wrong: {shown}")
    return found


def between(found: Mapping[int, float]) -> Callable[[int], float]:
    """Return the time of a step by its rows: straight lines between what was measured by drafts."""
    known = sorted(count for count in found if count >= 0)

    def step(rows: int) -> float:
        at = min(max(1, bisect_left(known, rows - 1)), len(known) - 1)
        low, high = known[at - 1], known[at]
        return found[low] + (rows - 1 - low) / (high - low) * (found[high] - found[low])

    return step


async def _step(engine: VllmEngine, prompt: list[int]) -> float:
    """Return the milliseconds of a token behind the first."""
    begun = last = 0.0
    tokens = 0
    async with aclosing(
        engine.generate(prompt, Sampling(max_tokens=STEPS), RequestStats())
    ) as steps:
        async for step in steps:
            last = time.perf_counter()
            if begun:
                tokens += len(step.token_ids)
            begun = begun or last
    return (last - begun) * 1e3 / max(1, tokens)
