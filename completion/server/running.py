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
        await asyncio.gather(self.first, return_exceptions=True)
        await self._steps.aclose()


class Running:
    """Requests behind one prompt, by the tokens that follow it in each."""

    def __init__(self, engine: Engine, prompt: list[int]) -> None:
        self._engine = engine
        self._prompt = prompt
        self._open: dict[Ids, Started] = {}
        self._ending: list[asyncio.Future[None]] = []
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
        for other in [other for other in self._open if other != ids]:
            self._ending.append(asyncio.ensure_future(self._open.pop(other).aclose()))
        return self._open.get(ids)

    async def aclose(self) -> None:
        """Abort all of them; returns when they have ended."""
        for ids in list(self._open):
            self._ending.append(asyncio.ensure_future(self._open.pop(ids).aclose()))
        ending, self._ending = self._ending, []
        await asyncio.gather(*ending)
