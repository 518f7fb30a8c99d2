"""Clients that type: each in a document of its own, the next key a while after the answer to the last.

How many answers a second a server gives so that 95 of 100 come in time: first the clients type as fast as
they are answered, and where that is too much for the server, at shares of what it then gave.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from eval.bench.places import Place
from eval.metrics.latency import percentile

IN_TIME_MS = 300.0
"""What 95 of 100 answers must not take longer than."""
WINDOW_S = 1.5
SHARES = (0.95, 0.85, 0.7, 0.5, 0.3)
"""Of the most that a server gives, tried in this order."""
_AGAIN_S = 0.05
"""How long a client that was refused waits, at the least."""

Ask = Callable[[Place], Awaitable[object]]


class Refused(Exception):
    """The server is full; counts as an answer that never came."""


@dataclass(frozen=True, slots=True)
class Window:
    """What clients saw in a while."""

    rate: float
    """Answers a second."""
    p50_ms: float
    p95_ms: float

    @property
    def in_time(self) -> bool:
        """Whether 95 of 100 came in time."""
        return self.p95_ms <= IN_TIME_MS


class Typists:
    """So many clients of one server; each goes on where it was."""

    def __init__(self, ask: Ask, documents: Sequence[Sequence[Place]]) -> None:
        self._ask = ask
        self._keys = [itertools.cycle(places) for places in documents]

    async def best(self) -> Window:
        """Return the window of most answers a second that is in time; if none is, one with a rate of 0."""
        window = most = await self.window(0.0)
        for share in SHARES:
            if window.in_time:
                return window
            window = await self.window(len(self._keys) / (share * most.rate or 1.0))
        return window if window.in_time else Window(0.0, window.p50_ms, window.p95_ms)

    async def window(self, interval_s: float) -> Window:
        """Type for a while, a key each ``interval_s`` of each client, or later if its answer is."""
        begun = time.perf_counter()
        end = begun + max(WINDOW_S, 2 * interval_s)
        taken: list[float] = []
        typing = (self._type(at, interval_s, end, taken) for at in range(len(self._keys)))
        await asyncio.gather(*typing)
        seconds = time.perf_counter() - begun
        answered = sum(one < math.inf for one in taken)
        return Window(answered / seconds, percentile(taken, 50), percentile(taken, 95))

    async def _type(self, client: int, interval_s: float, end: float, taken: list[float]) -> None:
        due = time.perf_counter() + interval_s * client / len(self._keys)  # not all at once
        while True:
            now = time.perf_counter()
            if now < due:
                await asyncio.sleep(due - now)
            begun = time.perf_counter()
            if begun >= end:
                return
            due = max(due + interval_s, begun)
            try:
                await self._ask(next(self._keys[client]))
                taken.append((time.perf_counter() - begun) * 1e3)
            except Refused:
                taken.append(math.inf)
                due = max(due, time.perf_counter() + _AGAIN_S)
