"""One stream of ``SyncWorkspace``: changes go, and each is acknowledged, in order.

Changes are numbered here. More states may come than changes were sent: a state speaks of one file, and
one change may cost several others their room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable

from completion.errors import CaretError
from completion.wire import completion_pb2 as pb

Sync = Callable[[AsyncIterator[pb.WorkspaceChange]], AsyncIterable[pb.WorkspaceState]]


class Stream:
    """Open from the first :meth:`send` to :meth:`close`: so long nothing is forgotten."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync
        self._changes: asyncio.Queue[pb.WorkspaceChange | None] = asyncio.Queue()
        self._waiting: deque[tuple[int, asyncio.Future[pb.WorkspaceState]]] = deque()
        """The number of each change, and what waits for its state."""
        self._sent = 0
        self._reader: asyncio.Task[None] | None = None

    async def send(self, changes: Iterable[pb.WorkspaceChange]) -> list[pb.WorkspaceState]:
        """Send changes; return the state behind each.

        Raises:
            CaretError: the server refused one, or has gone away.
        """
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        elif self._reader.done():
            raise CaretError("the server ended the stream of the workspace")
        loop = asyncio.get_running_loop()
        states: list[asyncio.Future[pb.WorkspaceState]] = []
        for change in changes:
            self._sent += 1
            states.append(loop.create_future())
            self._waiting.append((self._sent, states[-1]))
            numbered = pb.WorkspaceChange()
            numbered.CopyFrom(change)
            numbered.version = self._sent
            self._changes.put_nowait(numbered)
        return await asyncio.gather(*states)

    async def close(self) -> None:
        """End the stream."""
        if self._reader is None:
            return
        self._changes.put_nowait(None)
        await asyncio.gather(self._reader, return_exceptions=True)
        self._reader = None

    async def _read(self) -> None:
        error: BaseException = CaretError("the server ended the stream of the workspace")
        try:
            async for state in self._sync(self._outgoing()):
                if self._waiting and self._waiting[0][0] == state.acked_version:
                    _, waits = self._waiting.popleft()
                    if not waits.done():
                        waits.set_result(state)
        except BaseException as raised:
            error = raised
            if not isinstance(raised, CaretError):
                raise
        finally:
            while self._waiting:
                _, waits = self._waiting.popleft()
                if not waits.done():
                    waits.set_exception(error)

    async def _outgoing(self) -> AsyncIterator[pb.WorkspaceChange]:
        while (change := await self._changes.get()) is not None:
            yield change
