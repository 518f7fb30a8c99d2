"""Requests that the engine works on before it is decided which of them a candidate goes on in."""

from __future__ import annotations

import asyncio

from completion.engine.base import Engine, RequestStats, Sampling, Step
from completion.errors import CaretError
from completion.healing.cover import Ids


class Started:
    """A request that the engine works on from now on: an iterator of its steps.

    Whoever holds one closes it; a candidate that goes on in it does so too.
    """

    def __init__(self, engine: Engine, prompt: list[int], sampling: Sampling) -> None:
        self.stats = RequestStats()
        self._steps = engine.generate(prompt, sampling, self.stats)
        self.first = asyncio.ensure_future(self._first())
        """The first step; awaited it raises CaretError where the engine gave none."""
        self._begun = False

    async def _first(self) -> Step:
        async for step in self._steps:
            return step
        raise CaretError("the engine answered nothing")

    def __aiter__(self) -> Started:
        """Return itself: the steps can be had once."""
        return self

    async def __anext__(self) -> Step:
        """Return the next step."""
        if not self._begun:
            self._begun = True
            return await self.first
        return await anext(self._steps)

    async def aclose(self) -> None:
        """Abort the request where it still runs."""
        self.first.cancel()
        try:
            await asyncio.gather(self.first, return_exceptions=True)
        finally:
            await self._steps.aclose()


class Running:
    """Requests behind one prompt, by the tokens that follow it in each."""

    def __init__(self, engine: Engine, prompt: list[int]) -> None:
        self._engine = engine
        self._prompt = prompt
        self._open: dict[Ids, Started] = {}
        self._ending: set[asyncio.Future[None]] = set()
        self.stats: RequestStats | None = None
        """Of the first of them; ``None`` before there is one."""

    def start(self, ids: Ids, sampling: Sampling) -> Started:
        """Have the engine go on behind the prompt and ``ids``."""
        started = Started(self._engine, [*self._prompt, *ids], sampling)
        self._open[ids] = started
        self.stats = self.stats or started.stats
        return started

    def only(self, ids: Ids) -> Started | None:
        """Return what runs behind ``ids``, if anything does; the others are aborted meanwhile."""
        self._end([other for other in self._open if other != ids])
        return self._open.get(ids)

    async def aclose(self) -> None:
        """Abort all of them; returns when they have ended, and has them end where it is cancelled."""
        self._end(list(self._open))
        await asyncio.shield(asyncio.gather(*self._ending))

    def _end(self, which: list[Ids]) -> None:
        for ids in which:
            ending = asyncio.ensure_future(self._open.pop(ids).aclose())
            self._ending.add(ending)
            _ENDING.add(ending)
            ending.add_done_callback(_ENDING.discard)


_ENDING: set[asyncio.Future[None]] = set()
"""The event loop keeps no task alive by itself."""
