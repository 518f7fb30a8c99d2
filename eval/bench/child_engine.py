"""Caret's engine in a process of its own, as ``caret serve`` builds it: a child of a comparison.

``python -m eval.bench.child_engine`` with the flags of a model; see :mod:`eval.bench.child`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from completion.commands.flags import add_model_flags, configured
from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.environment import prepare
from completion.engine.vllm import VllmEngine
from completion.errors import CaretError

_LINE_BYTES = 1 << 26


async def _serve(config: ModelConfig, out: Any) -> None:
    prepare(config)
    engine = VllmEngine(load_checkpoint(config.path), config)
    begun = time.perf_counter()
    await engine.start()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        _say(out, {"ready_s": time.perf_counter() - begun})
        async for line in reader:
            question = json.loads(line)
            try:
                answer = await _answer(engine, question)
            except CaretError as error:
                answer = {"error": str(error)}
            _say(out, answer)
    finally:
        await engine.stop()


async def _answer(engine: VllmEngine, question: dict[str, Any]) -> dict[str, Any]:
    if "call" in question:
        return {"said": await engine._llm.collective_rpc(question["call"], args=question["args"])}
    if question["fresh"]:
        await engine._llm.reset_prefix_cache()
    gaps = question.get("after_ms") or [0.0] * len(question["prompts"])
    tokens = question["tokens"]
    each = tokens if isinstance(tokens, list) else [tokens] * len(gaps)
    begun = time.perf_counter()
    asked = zip(question["prompts"], each, gaps, strict=True)
    found = await asyncio.gather(*(_one(engine, *one, begun) for one in asked))
    return {"answers": found}


async def _one(
    engine: VllmEngine, prompt: Sequence[int], tokens: int, after_ms: float, begun: float
) -> dict[str, Any]:
    if after_ms:
        await asyncio.sleep(after_ms / 1e3)
    stats = RequestStats()
    ids: list[int] = []
    at: list[float] = []
    steps = engine.generate(list(prompt), Sampling(max_tokens=tokens), stats)
    async with aclosing(steps):
        async for step in steps:
            now = (time.perf_counter() - begun) * 1e3
            ids += step.token_ids
            at += [now] * len(step.token_ids)
    return {"ids": ids, "at_ms": at, "cached": stats.cached_tokens}


def _say(out: Any, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer) + "\n")
    out.flush()


def main() -> None:
    """Answer until standard input ends."""
    parser = argparse.ArgumentParser(prog="eval.bench.child_engine")
    add_model_flags(parser)
    parser.add_argument("--uvloop", action="store_true")
    args = parser.parse_args()
    # What a library prints must not be taken for an answer.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    config = configured(args).model
    if args.uvloop:
        import uvloop

        uvloop.run(_serve(config, out))
    else:
        asyncio.run(_serve(config, out))


if __name__ == "__main__":
    main()
