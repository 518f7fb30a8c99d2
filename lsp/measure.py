"""What an editor waits for, measured from its side of the pipe: ``python -m lsp.measure``.

Prints one JSON object, times in milliseconds. Needs a served model unless told otherwise by
``--serve-arg=--engine=fake --serve-arg=--fake-delay-ms=20``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from completion.errors import CaretError
from lsp.session import LspSession, lsp_command

LINES = 20_000
UNDER_WAY = 8
CHANGES = 500
KEYSTROKES = 120

_BARRIER = {"uri": "file:///not/open"}


def insert(line: int, character: int, text: str) -> dict[str, Any]:
    """Return the change that types ``text``."""
    place = {"line": line, "character": character}
    return {"range": {"start": place, "end": place}, "text": text}


def summary(times: Sequence[float]) -> dict[str, float]:
    """Return percentiles of ``times``."""
    ordered = sorted(times)
    return {
        "n": len(ordered),
        "p50_ms": round(statistics.median(ordered), 3),
        "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))], 3),
        "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 3),
    }


async def did_change(session: LspSession, folder: Path) -> dict[str, Any]:
    """Time changes to a long file while :data:`UNDER_WAY` completions run in other files.

    A change has no answer, so each is timed with a request behind it that is answered without
    the model: an upper bound. The same request alone is reported beside it.
    """
    slow = [session.open(folder / f"slow{n}.py", f"def slow{n}(") for n in range(UNDER_WAY)]
    asked = 0

    async def keep_asking(uri: str) -> None:
        nonlocal asked
        while True:
            asked += 1
            await session.complete(uri, 0, 99)

    async def barrier() -> None:
        await session.complete(_BARRIER["uri"], 0, 0)

    uri = session.open(folder / "long.py", "value = compute(1)\n" * LINES)
    await barrier()
    asking = [asyncio.create_task(keep_asking(uri)) for uri in slow]
    try:
        alone, changed = [], []
        for number in range(CHANGES):
            started = time.perf_counter()
            await barrier()
            alone.append((time.perf_counter() - started) * 1000)
            started = time.perf_counter()
            session.change(uri, number + 2, insert(LINES // 2, 0, "x"))
            await barrier()
            changed.append((time.perf_counter() - started) * 1000)
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    return {
        "lines": LINES, "completions_under_way": UNDER_WAY, "completions_asked": asked,
        "changed": summary(changed), "request_alone": summary(alone),
    }  # fmt: skip


async def typing(session: LspSession, folder: Path) -> dict[str, Any]:
    """Type a function into a real file, asking after each key; each answer is waited for."""
    source = Path(__file__).read_text(encoding="utf-8")
    start = source.index("    ordered = sorted")
    before = source[:start]
    uri = session.open(folder / "typed.py", before + "\n" + source[source.index("async def did") :])
    line, character = before.count("\n"), 0
    times, shown = [], 0
    for number, key in enumerate(source[start : start + KEYSTROKES]):
        session.change(uri, number + 2, insert(line, character, key))
        line, character = (line + 1, 0) if key == "\n" else (line, character + len(key.encode()))
        answer = await session.complete(uri, line, character)
        times.append(answer.milliseconds)
        shown += bool(answer.items)
    return {**summary(times), "shown": shown, "first_ms": round(times[0], 3)}


async def measure(
    arguments: Sequence[str], only: Sequence[str] = ("typing", "did_change")
) -> dict[str, Any]:
    """Return the measurements named, of one session."""
    environment = {"CARET_CLIENT_TIMEOUT_MS": "600000"}
    found: dict[str, Any] = {"arguments": list(arguments)}
    with tempfile.TemporaryDirectory(prefix="caret-") as name:
        async with LspSession(lsp_command(*arguments), environment=environment) as session:
            # the model's time is wanted at each key, and not that of what is kept of its answers
            await session.initialize(
                Path(name), capabilities={"experimental": {"caretAlwaysAsk": True}}
            )
            await session.ready()
            if "typing" in only:
                found["typing"] = await typing(session, Path(name))
            if "did_change" in only:
                found["did_change"] = await did_change(session, Path(name))
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m lsp.measure", description=__doc__)
    parser.add_argument("--server", default="", metavar="ADDR")
    parser.add_argument("--serve-arg", action="append", default=[], metavar="WORD")
    parser.add_argument("--only", action="append", choices=("typing", "did_change"))
    args = parser.parse_args()
    words = ["--own-server", *(f"--serve-arg={word}" for word in args.serve_arg)]
    if args.server:
        words += ["--server", args.server]
    try:
        found = asyncio.run(measure(words, args.only or ("typing", "did_change")))
    except CaretError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
