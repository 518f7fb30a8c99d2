"""The bounded queue in front of the engine: run now, wait in order, or be refused at once."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class QueueFull(Exception):
    """There is no place to run and none to wait."""


class Admission:
    """At most ``running`` requests inside, at most ``queued`` waiting, first come first served.

    Everything happens on one event loop. A caller that is cancelled while it waits leaves the
    queue; one that is cancelled just as it was let in passes its place on.
    """

    def __init__(self, *, running: int, queued: int) -> None:
        self._free = running
        self._limit = queued
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.running = 0

    @property
    def busy(self) -> bool:
        """Whether anybody is inside or waits."""
        return self.running > 0 or self.waiting > 0

    @property
    def waiting(self) -> int:
        """How many are in the queue."""
        return len(self._waiting)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[float]:
        """Hold a place; yields the milliseconds it was waited for.

        Raises:
            QueueFull: at once, when nothing is free and the queue is full.
        """
        begin = time.perf_counter()
        await self._enter()
        self.running += 1
        try:
            yield (time.perf_counter() - begin) * 1e3
        finally:
            self.running -= 1
            self._leave()

    async def _enter(self) -> None:
        if self._free > 0:
            self._free -= 1
            return
        if len(self._waiting) >= self._limit:
            raise QueueFull
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            elif turn in self._waiting:  # not there when a leaver has passed it over already
                self._waiting.remove(turn)
            raise

    def _leave(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
