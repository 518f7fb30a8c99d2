"""What an editor waits for, as rows beside their bars: ``lsp.measure`` run as a process.

And real files typed in time, see :mod:`eval.bench.keys_in_time`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from completion.errors import CaretError
from completion.wire.environment import child_environment
from eval.bench.latency import Row

SLOW_MS = 100
"""Between two bytes of the service that computes nothing: a completion takes some seconds."""
_SLOW = ("--engine=fake", f"--fake-delay-ms={SLOW_MS}")


async def rows(words: list[str], say: Callable[[str], None]) -> list[Row]:
    """Return the figures of the language server with a service of its own.

    Edits are timed twice. Before a service that is slow and computes nothing, whatever an edit waits
    for is the language server's own doing; before the model, the engine has every core besides.

    Raises:
        CaretError: the measurement ended without a result.
    """
    say("driving `caret lsp`: edits while completions are under way, then a typing session")
    slow = (await _measured(_SLOW, say, "did_change"))["did_change"]
    found = await _measured(words, say)
    busy, typing = found["did_change"], found["typing"]
    edits = f"didChange p99 in {slow['lines']:,} lines, 8 completions under way"
    return [
        Row(f"{edits} of seconds each, ms", slow["changed"]["p99_ms"], 5, slow["changed"]["n"]),
        Row(f"{edits}, the engine on every core, ms", busy["changed"]["p99_ms"], 5, busy["changed"]["n"]),
        Row("inlineCompletion received to answered, p50, ms", typing["p50_ms"], 80, typing["n"]),
        Row("inlineCompletion received to answered, p95, ms", typing["p95_ms"], 200, typing["n"]),
    ]  # fmt: skip


async def _measured(
    words: Sequence[str], say: Callable[[str], None], *only: str
) -> dict[str, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lsp.measure", *(f"--serve-arg={word}" for word in words),
        *(f"--only={one}" for one in only),
        stdout=asyncio.subprocess.PIPE, env=child_environment(),
    )  # fmt: skip
    out, _ = await process.communicate()
    if process.returncode:
        raise CaretError(f"lsp.measure ended with status {process.returncode}")
    found = json.loads(out)
    say(json.dumps(found, indent=1))
    return found
