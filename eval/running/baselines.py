"""Guessing without a model, on the items of a run: in a thread, so that nothing else waits."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable, Sequence

from eval.engines import ENGINES
from eval.engines.base import Engine
from eval.item import Answer, Item
from eval.suites.base import Draw, Suite


def without_model(name: str) -> Engine:
    """Return a new engine that takes no arguments: a baseline or a dummy."""
    module, _, kind = ENGINES[name][0].partition(":")
    return getattr(importlib.import_module(module), kind)()


async def guess(
    suite: Suite,
    items: Sequence[Item],
    name: str,
    on_answer: Callable[[Item, list[Answer]], None],
) -> None:
    """Have the baseline ``name`` answer ``items``; ``on_answer`` is called on this event loop.

    Raises:
        ModuleNotFoundError: a package that it needs is not installed.
    """
    loop, stop = asyncio.get_running_loop(), threading.Event()

    async def answer_all() -> None:
        async with without_model(name) as engine:
            await engine.start()
            for item in items:
                if stop.is_set():
                    return
                answers = await suite.answers(item, engine, Draw())
                loop.call_soon_threadsafe(on_answer, item, answers)

    try:
        await asyncio.to_thread(asyncio.run, answer_all())
    finally:
        stop.set()  # cancelled, the thread ends behind the item it is at
