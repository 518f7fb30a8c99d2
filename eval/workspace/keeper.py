"""The workspaces of a run as a server holds them: sent once, fitted before anything is asked in them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from completion.errors import CaretError
from completion.wire import completion_pb2 as pb
from eval.workspace.stream import Stream, Sync

MOST_HELD = 12
"""Workspaces that are held at once, unless more are asked in: a server has room for 16."""
FITTED_S = 600.0
"""How long a workspace may take to be fitted once all of it was sent."""
_POLL_S = 0.1


@dataclass(slots=True)
class Held:
    """One workspace that the server holds."""

    id: str
    state: pb.WorkspaceState
    """Once it was fitted."""
    asked: int = 0
    """Items that are being asked in it."""


@dataclass(slots=True)
class _Slot:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    held: Held | None = None


class Keeper:
    """Sends workspaces to one server as they are needed, and lets go of those used the longest ago."""

    def __init__(self, sync: Sync, *, most: int = MOST_HELD, patience_s: float = FITTED_S) -> None:
        self._stream = Stream(sync)
        self._slots: dict[int, _Slot] = {}
        self._most, self._patience_s = most, patience_s

    @asynccontextmanager
    async def holding(self, number: int, files: Mapping[str, bytes]) -> AsyncGenerator[Held, None]:
        """Hold workspace ``number``, whose files are ``files``, sent in their order, and fitted.

        Raises:
            CaretError: the server refused them, or has not fitted them in time.
        """
        slot = self._slots.pop(number, None) or _Slot()
        self._slots[number] = slot  # the newest
        async with slot.lock:
            if slot.held is None:
                await self._make_room()
                slot.held = await self._sent(files)
            held = slot.held
            held.asked += 1
        try:
            yield held
        finally:
            held.asked -= 1

    async def close(self) -> None:
        """Have the server forget them all."""
        try:
            held = [slot.held for slot in self._slots.values() if slot.held is not None]
            if held:
                await self._stream.send(
                    pb.WorkspaceChange(workspace_id=one.id, close=True) for one in held
                )
        finally:
            self._slots.clear()
            await self._stream.close()

    async def _sent(self, files: Mapping[str, bytes]) -> Held:
        identity = secrets.token_hex(16)
        await self._stream.send(
            pb.WorkspaceChange(workspace_id=identity, path=path, text=text)
            for path, text in files.items()
        )
        until = time.monotonic() + self._patience_s
        while True:
            (state,) = await self._stream.send([pb.WorkspaceChange(workspace_id=identity)])
            if state.fitted or not state.tokens:
                return Held(identity, state)
            if time.monotonic() > until:
                raise CaretError(
                    f"the server has not fitted a workspace of {state.tokens:,} tokens within "
                    f"{self._patience_s:.0f} s"
                )
            await asyncio.sleep(_POLL_S)

    async def _make_room(self) -> None:
        idle = [
            number
            for number, slot in self._slots.items()
            if slot.held is not None and not slot.held.asked and not slot.lock.locked()
        ]
        held = sum(slot.held is not None for slot in self._slots.values())
        for number in idle[: max(0, held - self._most + 1)]:
            gone = self._slots.pop(number).held
            assert gone is not None
            await self._stream.send([pb.WorkspaceChange(workspace_id=gone.id, close=True)])
