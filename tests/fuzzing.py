"""A round of fuzzing whose checks are coroutines of a loop in another thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy


def fuzz(
    batches: SearchStrategy[Any],
    check: Callable[[Any], Coroutine[Any, Any, None]],
    loop: asyncio.AbstractEventLoop,
    *,
    number: int,
    examples: int,
) -> None:
    """Have ``loop`` check so many of ``batches``; ``number`` seeds them. For a thread of its own."""

    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(batches)
    def any_batch(batch: Any) -> None:
        asyncio.run_coroutine_threadsafe(check(batch), loop).result()

    any_batch()
