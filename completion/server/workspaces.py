"""The workspaces that clients keep in step: their texts here, their tokens in the engine core.

A change comes in as text or as edits of bytes, becomes tokens, and goes on to the engine core in
order. Each workspace is its caller's: the same id of another caller is another one. Edits are encoded
between the nearest places where the tokenizer always cuts, so that one in a large file costs no more
than in a small one. What a request sees is named and kept as it is for as long as the request runs
(:meth:`Workspaces.seen_by`). In memory only, capped, and never logged.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from completion.engine.base import Engine
from completion.errors import CaretError
from completion.prompt.encoder import TextEncoder
from completion.server.caller import CALLER, Caller
from completion.server.held_workspace import HeldWorkspace, View
from completion.server.job import InvalidField
from completion.server.synced_file import BadEdit, FileEncoder, SyncedFile
from completion.server.workspace_changes import batches, by_workspace
from completion.wire import completion_pb2 as pb

MOST_WORKSPACES = 16
MOST_OF_ONE_CALLER = 4
"""Of a caller who is told apart from others, and leaves room for them."""
FORGOTTEN_AFTER_S = 600.0
"""After the last stream of a workspace has ended, and its last request."""
_QUIET_S = 1.0
"""Without a change, before a workspace is fitted."""
_FITTED_AGAIN = 1.25
"""Growth or shrinkage of the workspace, as a ratio, that makes a fit worth its time."""
_BETWEEN_SLICES_S = 0.025
"""Of fitting, while requests run: a fifth of the engine core's time at most."""


class Workspaces:
    """All of one service."""

    def __init__(self, engine: Engine, encoder: TextEncoder) -> None:
        """Take the engine, and the encoder of its model's tokens."""
        self.epoch = secrets.token_hex(8)
        self._engine = engine
        self._encoder = FileEncoder(encoder)
        self._held: dict[str, HeldWorkspace] = {}

    # What requests see ------------------------------------------------------------------------

    @contextmanager
    def seen_by(self, workspace_id: str, path: str) -> Generator[View | None, None, None]:
        """Hold what a request in ``path`` sees for as long as it runs; ``None``: nothing is there."""
        held = self._held.get(CALLER.get().own(workspace_id)) if workspace_id else None
        if held is None or not held.files:
            yield None
            return
        held.used = time.monotonic()
        view = held.view(path)
        pin = (view.name, path)
        held.pins[pin] += 1
        try:
            yield view
        finally:
            held.pins[pin] -= 1
            held.pins += Counter()  # without those that nobody holds

    def line_of(self, held_id: str, path: str, index: int) -> int:
        """Return the line, from 1, on which a file's token ``index`` ends; 0 where it is not held.

        ``held_id`` is that of a :class:`HeldWorkspace`.
        """
        held = self._held.get(held_id)
        file = None if held is None else held.files.get(path)
        return 0 if file is None else self._encoder.line_of(file.ids, index)

    # What clients send ------------------------------------------------------------------------

    async def sync(
        self, changes: AsyncIterator[pb.WorkspaceChange]
    ) -> AsyncGenerator[pb.WorkspaceState, None]:
        """Apply a stream of changes; yield a state for each, in order.

        Raises:
            InvalidField: a change that no client may send.
        """
        opened: dict[str, HeldWorkspace] = {}
        caller = CALLER.get()
        try:
            async for batch in batches(changes):
                for named, part in by_workspace(batch):
                    identity = caller.own(named)
                    if part[-1].close:
                        yield await self._close(identity, part[-1].version, opened)
                        continue
                    held = opened.get(identity)
                    fresh = False
                    if held is None or self._held.get(identity) is not held:
                        # The first change of this stream, or another stream has closed it.
                        fresh = held is not None or identity not in self._held
                        held = opened[identity] = self._open(identity, caller)
                    for state in await self._apply(held, part, fresh=fresh):
                        yield state
        finally:
            for held in opened.values():
                held.streams -= 1
                held.used = time.monotonic()

    def _open(self, identity: str, caller: Caller) -> HeldWorkspace:
        held = self._held.get(identity)
        if held is None:
            self._refuse_greedy(caller)
            self._make_room()
            held = self._held[identity] = HeldWorkspace(identity)
        held.streams += 1
        return held

    def _refuse_greedy(self, caller: Caller) -> None:
        """Keep one of several callers from having all the room there is.

        Raises:
            InvalidField: it has its share, and uses it.
        """
        if not caller.is_named:
            return
        own = [held for name, held in self._held.items() if name.startswith(f"{caller.salt}:")]
        if len(own) < MOST_OF_ONE_CALLER:
            return
        idle = [held for held in own if not held.streams and not held.pins]
        if not idle:
            raise InvalidField(f"workspace_id must be one of at most {MOST_OF_ONE_CALLER} at once")
        self._forget(min(idle, key=lambda held: held.used))

    def _make_room(self) -> None:
        """Forget what nobody uses any more, and for one more the one used the longest ago.

        Raises:
            InvalidField: all of them are in use.
        """
        now = time.monotonic()
        idle = sorted(
            (held for held in self._held.values() if not held.streams and not held.pins),
            key=lambda held: held.used,
        )
        spare = len(self._held) - MOST_WORKSPACES + 1
        for at, held in enumerate(idle):
            if at < spare or now - held.used > FORGOTTEN_AFTER_S:
                self._forget(held)
        if len(self._held) >= MOST_WORKSPACES:
            raise InvalidField(f"workspace_id must be one of at most {MOST_WORKSPACES} at once")

    def _forget(self, held: HeldWorkspace) -> None:
        self._held.pop(held.id, None)
        if held.fitting is not None:
            held.fitting.cancel()
        task = asyncio.create_task(self._forget_in_engine(held.id))
        _TASKS.add(task)
        task.add_done_callback(_TASKS.discard)

    async def _forget_in_engine(self, identity: str) -> None:
        with suppress(CaretError):  # the engine has died, and the process is about to end
            await self._engine.workspaces("close", identity)

    async def _close(
        self, identity: str, version: int, opened: dict[str, HeldWorkspace]
    ) -> pb.WorkspaceState:
        mine = opened.pop(identity, None)
        if mine is not None:
            mine.streams = max(0, mine.streams - 1)
        held = self._held.get(identity)
        if held is not None:
            async with held.lock:
                if self._held.get(identity) is held:
                    # At once with the call: what comes for this id from now on comes behind it.
                    del self._held[identity]
                    if held.fitting is not None:
                        held.fitting.cancel()
                    await self._engine.workspaces("close", held.id)
        return pb.WorkspaceState(acked_version=version, server_epoch=self.epoch)

    async def _apply(
        self, held: HeldWorkspace, part: Sequence[pb.WorkspaceChange], *, fresh: bool
    ) -> list[pb.WorkspaceState]:
        """Apply changes, wholly even where the stream is cancelled meanwhile."""
        applying = asyncio.create_task(self._applied(held, part, fresh=fresh))
        _TASKS.add(applying)
        applying.add_done_callback(_TASKS.discard)
        try:
            return await asyncio.shield(applying)
        except asyncio.CancelledError:
            applying.add_done_callback(_passed_over)
            raise

    async def _applied(
        self, held: HeldWorkspace, part: Sequence[pb.WorkspaceChange], *, fresh: bool
    ) -> list[pb.WorkspaceState]:
        async with held.lock:
            states = [pb.WorkspaceState(acked_version=c.version) for c in part]
            if self._held.get(held.id) is not held:  # another stream closed it before our turn
                for state in states:
                    state.server_epoch, state.need_resync = self.epoch, True
                return states
            work = await asyncio.to_thread(self._encoded, held, part, states)
            changed = {word[1] for word in work}
            if work:
                kept = held.kept
                for word in work:  # first: who comes now means the state after
                    held.changed(word[1])
                done = await self._engine.workspaces("change", held.id, kept, work)
                held.tokens, held.nbytes = done["tokens"], done["nbytes"]
                states += self._take_out(held, part, states, done)
            for state in states:
                state.server_epoch = self.epoch
                state.files, state.tokens = len(held.files), held.tokens
                state.memory_bytes = held.memory
                state.fitted = not changed and (held.fitting is None or held.fitting.done())
            states[0].need_resync = states[0].need_resync or fresh
            if changed:
                self._fit_soon(held)
            return states

    def _encoded(
        self,
        held: HeldWorkspace,
        part: Sequence[pb.WorkspaceChange],
        states: list[pb.WorkspaceState],
    ) -> list[list[Any]]:
        """Return what the engine core is told; takes the texts in, and says what was not taken."""
        work: list[list[Any]] = []
        for change, state in zip(part, states, strict=True):
            path = change.path
            if not path:
                continue
            file = held.files.get(path)
            if change.removed or (not change.edits and not change.text):
                held.let_go.discard(path)
                if held.files.pop(path, None) is not None:
                    work.append(["remove", path])
            elif not change.edits:
                held.let_go.discard(path)
                file = held.files[path] = SyncedFile(self._encoder, change.text, change.version)
                work.append(["put", path, file.ids.tobytes()])
            elif path in held.let_go:
                state.refused_path, state.refused_reason = path, _LET_GO
            elif file is None or file.version != change.base_version:
                state.need_resync = True
            else:
                try:
                    spliced = file.edit(change.edits, change.version)
                except BadEdit:
                    state.need_resync = True
                    continue
                work += [
                    ["splice", path, start, gone, ids.tobytes()] for start, gone, ids in spliced
                ]
        return work

    def _take_out(
        self,
        held: HeldWorkspace,
        part: Sequence[pb.WorkspaceChange],
        states: list[pb.WorkspaceState],
        done: dict[str, Any],
    ) -> list[pb.WorkspaceState]:
        """Let go of the texts whose tokens the engine core does not hold, and say so.

        A state speaks of one file: returned are those that have to follow for the others.
        """
        more: list[pb.WorkspaceState] = []
        at = {change.path: state for change, state in zip(part, states, strict=True)}
        told = [*done["refused"], *([path, _LET_GO] for path in done["dropped"])]
        for path, reason in told:
            held.files.pop(path, None)
            held.let_go.add(path)
            state = at.get(path, states[-1])
            if state.refused_path:
                state = pb.WorkspaceState(acked_version=part[-1].version)
                more.append(state)
            state.refused_path, state.refused_reason = path, reason
        return more

    # The fit ----------------------------------------------------------------------------------

    def _fit_soon(self, held: HeldWorkspace) -> None:
        if held.fitting is None or held.fitting.done():
            held.fitting = asyncio.create_task(self._fit(held))

    async def _fit(self, held: HeldWorkspace) -> None:
        """Fit the workspace whenever it has been quiet for a moment and is not what it was."""
        with suppress(CaretError):  # the engine has died, and the process is about to end
            while await self._until_quiet(held):
                await self._fit_once(held)

    async def _fit_once(self, held: HeldWorkspace) -> None:
        while True:
            async with held.lock:
                if await self._engine.workspaces("fit", held.id) == "ready":
                    kept = held.kept
                    held.fits += 1  # first: who comes now means the new one
                    await self._engine.workspaces("adopt", held.id, kept)
                    return
            is_busy = any(one.pins for one in self._held.values())
            await asyncio.sleep(_BETWEEN_SLICES_S if is_busy else 0.0)

    async def _until_quiet(self, held: HeldWorkspace) -> bool:
        """Wait for a quiet moment; return whether a fit is worth its time then."""
        changes = -1
        while changes != held.changes:
            changes = held.changes
            await asyncio.sleep(_QUIET_S)
        before, now = held.fitted_tokens, held.tokens
        if not now or (before and max(before / now, now / before) < _FITTED_AGAIN):
            return False
        held.fitted_tokens = now
        return True


def _passed_over(task: asyncio.Future[Any]) -> None:
    """Take note of what nobody waits for any more."""
    if not task.cancelled():
        task.exception()


_LET_GO = "the workspace has no room for it: newer files took its place"
_TASKS: set[asyncio.Future[Any]] = set()
"""The event loop keeps no task alive by itself."""
