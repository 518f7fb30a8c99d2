"""Chunks of a stream, held back while it is in doubt whether they will stay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from completion.filters.stream import Chunk


class Gate:
    """Passes chunks on to ``put`` once ``doubt`` has come to nothing; at once where there is none.

    ``doubt`` gives ``None`` when the chunks are right. What replaces them goes through another gate.
    """

    def __init__(self, put: Callable[[Chunk], None], doubt: asyncio.Future[Any] | None) -> None:
        self._put = put
        self._held: list[Chunk] = []
        self._is_open = doubt is None
        if doubt is not None:
            doubt.add_done_callback(self._decided)

    def put(self, chunk: Chunk | None) -> None:
        """Take the next chunk, if there is one."""
        if chunk is None:
            return
        if self._is_open:
            self._put(chunk)
        else:
            self._held.append(chunk)

    def open(self) -> None:
        """Pass on what was held, and from now on everything."""
        self._is_open = True
        held, self._held = self._held, []
        for chunk in held:
            self._put(chunk)

    def _decided(self, doubt: asyncio.Future[Any]) -> None:
        if not doubt.cancelled() and doubt.exception() is None and doubt.result() is None:
            self.open()
