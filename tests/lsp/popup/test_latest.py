"""Superseding: one piece of work per document, the rest cancelled, each caller answered."""

from __future__ import annotations

import asyncio

import pytest

from lsp.popup.latest import Latest


class Work:
    """Work that ends when told to, and remembers that it was cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.finish = asyncio.Event()
        self.cancelled = False

    async def __call__(self) -> str:
        self.begun.set()
        try:
            await self.finish.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "done"


async def test_a_newer_request_cancels_the_older_which_gets_none():
    latest, old, new = Latest(), Work(), Work()
    first = asyncio.create_task(latest.run("a", old()))
    await old.begun.wait()
    second = asyncio.create_task(latest.run("a", new()))
    assert await first is None
    assert old.cancelled
    new.finish.set()
    assert await second == "done"
    assert len(latest) == 0


async def test_other_documents_are_left_alone():
    latest, one, other = Latest(), Work(), Work()
    tasks = [
        asyncio.create_task(latest.run(key, work())) for key, work in (("a", one), ("b", other))
    ]
    await one.begun.wait()
    await other.begun.wait()
    one.finish.set()
    other.finish.set()
    assert await asyncio.gather(*tasks) == ["done", "done"]


async def test_a_cancelled_caller_is_cancelled_and_its_work_too():
    latest, work = Latest(), Work()
    caller = asyncio.create_task(latest.run("a", work()))
    await work.begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert work.cancelled
    assert len(latest) == 0


async def test_work_dropped_before_it_began_still_answers_its_caller():
    latest, work = Latest(), Work()
    caller = asyncio.create_task(latest.run("a", work()))
    await asyncio.sleep(0)
    latest.drop_all()
    assert await caller is None
