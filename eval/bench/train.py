"""The speed of training beside transformers' ``Trainer``, and what the objectives' heads cost.

``python -m training.speed.bench`` measures, as a program: the harness stands on none of training's insides,
and a process of its own has no engine beside it that takes cores or memory. Here are its bars.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from completion.engine.checkpoint import load_checkpoint
from completion.errors import CaretError
from eval.bench.latency import Row

FASTER = 1.3
"""How many times the tokens a second of ``Trainer`` in its default settings."""
BARS = {
    "trainer": ("seconds a token, our loop over transformers' Trainer", 1 / FASTER),
    "compiled_trainer": ("seconds a token, our loop over Trainer with torch_compile", 1.0),
    "heads": ("seconds a token from text, all objectives over plain FIM", 1.10),
}
"""By what the program calls it: the row's name and its bar, the most that the ratio may be."""


async def rows(model: str, device: str, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Return the ratios on XS, text encoded by the tokenizer of ``model``.

    Raises:
        CaretError: the program failed, and what it said last.
    """
    tokenizer = load_checkpoint(model).path
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "training.speed.bench", "--tokenizer", str(tokenizer),
        "--rounds", str(rounds), "--device", device,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )  # fmt: skip
    try:
        last = ""
        assert process.stderr is not None
        assert process.stdout is not None
        async for line in process.stderr:
            last = line.decode("utf-8", "replace").strip() or last
            if "tokens/s" in last:
                say(last)
        out = await process.stdout.read()
        status = await process.wait()
    except BaseException:
        process.terminate()
        raise
    if status:
        raise CaretError(f"python -m training.speed.bench failed: {last}")
    found = json.loads(out)
    say(f"{found['utilisation']:.0%} of the peak operations a second of {found['device']}")
    return [Row(name, found[key], bar, found["rounds"]) for key, (name, bar) in BARS.items()]
