"""What an editor waits for, as rows beside their bars: ``lsp.measure`` run as a process.

And real files typed in time, see :mod:`eval.bench.keys_in_time`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable

from completion.errors import CaretError
from completion.wire.environment import child_environment
from eval.bench.latency import Row


async def rows(words: list[str], say: Callable[[str], None]) -> list[Row]:
    """Return the figures of the language server with a service of its own.

    Raises:
        CaretError: the measurement ended without a result.
    """
    say("driving `caret lsp`: edits under load, then a typing session")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lsp.measure", *(f"--serve-arg={word}" for word in words),
        stdout=asyncio.subprocess.PIPE, env=child_environment(),
    )  # fmt: skip
    out, _ = await process.communicate()
    if process.returncode:
        raise CaretError(f"lsp.measure ended with status {process.returncode}")
    found = json.loads(out)
    changed, typing = found["did_change"]["changed"], found["typing"]
    say(json.dumps(found, indent=1))
    return [
        Row(
            "didChange p99 with 8 slow completions under way, ms",
            changed["p99_ms"],
            5,
            changed["n"],
        ),
        Row("inlineCompletion received to answered, p50, ms", typing["p50_ms"], 80, typing["n"]),
        Row("inlineCompletion received to answered, p95, ms", typing["p95_ms"], 200, typing["n"]),
    ]
