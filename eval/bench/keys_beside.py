"""A key with context over a key without: two language servers, one service, the same keys in turn.

The service has no model, so that what is left of a key is the language server's own time and the
making of a prompt. The server with context has a workspace that nobody has indexed yet: its index
is made and its files are gathered while the keys come in.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from completion.wire.own_server import OwnServer
from eval.bench.latency import Row
from eval.metrics.latency import percentile
from lsp.measure import insert
from lsp.session import LspSession, lsp_command

CHANGED = 1.25
"""A bar: a change taken in, and behind it a request that is answered without the service."""
ANSWERED = 1.5
"""A bar: a whole request; with context it carries other files, of which a longer prompt is made."""
TAIL = 1.6
"""How much more p95 may be: gatherings and an index take the time of a busy machine as well."""
KEY_S = 0.02
"""A quick typist's key, so that gatherings come between keys and beside them."""
_TEXT = "value = compute(1)\n"
_NOWHERE = "file:///not/open"


@dataclass(kw_only=True)
class _Leg:
    session: LspSession
    uri: str = ""
    version: int = 1
    changed: list[float] = field(default_factory=list[float])
    """Milliseconds of a change with a request behind it that is answered at once."""
    answered: list[float] = field(default_factory=list[float])
    """Milliseconds of the request for a completion behind it."""

    async def key(self, line: int, column: int, character: str) -> None:
        """Type one character and ask behind it."""
        self.version += 1
        begun = time.perf_counter()
        self.session.change(self.uri, self.version, insert(line, column, character))
        await self.session.complete(_NOWHERE, 0, 0)
        between = time.perf_counter()
        after = (line + 1, 0) if character == "\n" else (line, column + 1)
        await self.session.complete(self.uri, *after)
        self.changed.append((between - begun) * 1000)
        self.answered.append((time.perf_counter() - between) * 1000)


async def keys_beside(
    root: Path, path: str, text: str, keys: int, scratch: Path, say: Callable[[str], None]
) -> list[Row]:
    """Type ``keys`` keys into ``path`` of the workspace ``root``; return the ratios."""
    async with (
        OwnServer(extra_args=["--engine", "fake"]) as own,
        contextlib.AsyncExitStack() as stack,
    ):
        legs: list[_Leg] = []
        for context in (True, False):
            environment = {
                "CARET_CONTEXT_ENABLED": str(context).lower(),
                "CARET_CONTEXT_INDEX": str(context).lower(),
                "CARET_CLIENT_TIMEOUT_MS": "60000",
                "XDG_CONFIG_HOME": str(scratch / "config"),
                "XDG_CACHE_HOME": str(scratch / f"cache-{context}"),
            }
            command = lsp_command("--server", str(own.address))
            leg = _Leg(session=LspSession(command, environment=environment))
            legs.append(leg)
            await stack.enter_async_context(leg.session)
            # a whole request at each key, nothing served from memory
            await leg.session.initialize(
                root, capabilities={"experimental": {"caretAlwaysAsk": True}}
            )
            await leg.session.ready()
            leg.uri = leg.session.open(root / path, text)
        lines = text.splitlines()
        line = len(lines) // 2
        typed = "\n" + _TEXT * (keys // len(_TEXT) + 1)
        column = len(lines[line].encode()) if lines else 0
        for number in range(keys):
            character = typed[number]
            for leg in legs if number % 2 else legs[::-1]:
                await leg.key(line, column, character)
            line, column = (line + 1, 0) if character == "\n" else (line, column + 1)
            await asyncio.sleep(KEY_S)
        gathering, plain = legs
    for what, one, other in (
        ("a change", gathering.changed, plain.changed),
        ("a request", gathering.answered, plain.answered),
    ):
        say(f"{what}, ms: with context {_spread(one)}, without {_spread(other)}")
    beside = "with context over without"
    rows: list[Row] = []
    for what, one, other, bar in (
        ("a change", gathering.changed, plain.changed, CHANGED),
        ("a request", gathering.answered, plain.answered, ANSWERED),
    ):
        for percent, more in ((50, 1.0), (95, TAIL)):
            ratio = percentile(one, percent) / percentile(other, percent)
            rows.append(Row(f"{what}, {beside}, p{percent}", ratio, more * bar, keys))
    return rows


def _spread(taken: list[float]) -> str:
    return ", ".join(f"p{percent} {percentile(taken, percent):.2f}" for percent in (50, 95, 99))
