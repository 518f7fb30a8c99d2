"""Only the newest request of a document is worked on. Knows nothing of LSP."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Latest:
    """Runs at most one piece of work per key; a newer one, or :meth:`drop`, cancels the older."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[Any]] = {}

    def __len__(self) -> int:
        return len(self._running)

    async def run(self, key: Hashable, work: Coroutine[Any, Any, T]) -> T | None:
        """Return what ``work`` returns, or None when it was superseded.

        Raises:
            asyncio.CancelledError: when the caller itself is cancelled; ``work`` then is too.
        """
        self.drop(key)
        task = self._running[key] = asyncio.create_task(work)
        try:
            return await task
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                raise
            return None
        finally:
            if self._running.get(key) is task:
                del self._running[key]

    def drop(self, key: Hashable) -> None:
        """Cancel the work under way for ``key``, if there is any; its caller gets None."""
        task = self._running.pop(key, None)
        if task is not None:
            task.cancel()

    def drop_all(self) -> None:
        """Cancel everything under way."""
        for key in list(self._running):
            self.drop(key)
