"""One workspace folder's stream to the server: says hello, sends changes, hears how they arrived.

While there is no stream, changes are only noted. A stream that breaks is opened again, with longer
and longer pauses; a server that has started anew is told everything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as pb_grpc
from lsp.client import Service, is_channel_closed
from lsp.protocol import describe
from lsp.workspace.ledger import Ledger, Refusal

log = logging.getLogger("caret.lsp")

FIRST_BACKOFF_S = 0.25
LAST_BACKOFF_S = 10.0
HEALTHY_S = 10.0
"""A stream that lasted so long may break anew without being taken for a hopeless one, in seconds."""
OLD_SERVER_S = 600.0
"""When a server that cannot do it is asked again, in seconds, if it does not connect anew before."""
CLOSE_S = 1.0
"""How long the end of a language server waits for its farewell to arrive, in seconds."""
ASK_S = 5.0
"""How long a server may take to say how large a message may be, in seconds."""
HEADER_BYTES = 1 << 13
"""Room in a message for all that is not the text."""


_NO_WORKSPACES = (
    grpc.StatusCode.UNIMPLEMENTED.name,  # an older server
    grpc.StatusCode.FAILED_PRECONDITION.name,  # it is switched off there, or its model has no bytes
)


class Broken(Exception):
    """This stream cannot go on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stats:
    """How far the server is, as it said last."""

    files: int = 0
    tokens: int = 0
    memory_bytes: int = 0
    refused: int = 0
    """Files that it did not take, since the stream began."""


class Stream:
    """Keeps one stream going, from the event loop only. :meth:`start` it, :meth:`close` it."""

    def __init__(
        self,
        service: Service,
        ledger: Ledger,
        *,
        next_change: Callable[[], Awaitable[pb.WorkspaceChange | None]],
        send_again: Callable[[], None],
        unsent: Callable[[], None],
        refused: Callable[[str, Refusal], None],
    ) -> None:
        """Take what to send.

        Args:
            service: where to.
            ledger: of what was sent.
            next_change: returns the next change, as soon as there is one; None: nothing after all.
            send_again: told when everything is to be gone through, as the ledger has it.
            unsent: told when a call of ``next_change`` was given up.
            refused: told of a file that the server has nothing of, and what that says.
        """
        self._service, self._ledger = service, ledger
        self._next_change, self._send_again, self._unsent = next_change, send_again, unsent
        self._refused = refused
        self.is_established = False
        """Whether the server that answers now knows this workspace."""
        self.limit = 0
        """Most bytes of a message's text that the server takes; 0: it does not say."""
        self.stats = Stats()
        self.ever_established = asyncio.Event()
        self._epoch = ""
        self._acked = 0
        self._resynced_at = 0
        self._resynced = float("-inf")
        self._room = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._said: set[str] = set()

    def start(self) -> None:
        """Begin, in the background."""
        self._task = asyncio.create_task(self._keep(), name="workspace stream")

    async def close(self) -> None:
        """Let the server forget the workspace, and end."""
        self._closing.set()
        self._room.set()
        task = self._task
        if task is None:
            return
        if self.is_established:
            await asyncio.wait({task}, timeout=CLOSE_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    # Streams, one after the other

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while not self._closing.is_set():
            connection = await self._service.connection()
            began = loop.time()
            try:
                await self._one_stream(connection.stub)
                continue
            except grpc.aio.AioRpcError as error:
                reason = error.code().name
            except asyncio.CancelledError:
                if not is_channel_closed():
                    raise
                reason = "closed"
            except Exception as error:
                reason = str(error) if isinstance(error, Broken) else describe(error)
            finally:
                self.is_established = False
            if reason in _NO_WORKSPACES:
                self._say("the server keeps no workspaces: it is asked for completions alone")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(OLD_SERVER_S):
                        await self._service.connection(after=connection.number)
                continue
            log.debug("workspace: the stream ended: %s", reason)
            failures = 0 if loop.time() - began > HEALTHY_S else failures + 1
            await asyncio.sleep(_pause_s(failures))

    async def _one_stream(self, stub: pb_grpc.CompletionServiceAsyncStub) -> None:
        """Be in step over one stream, until it breaks or :meth:`close`."""
        self.limit = await _message_limit(stub)
        call: Any = stub.SyncWorkspace()
        tasks: list[asyncio.Task[None]] = []
        try:
            await call.write(pb.WorkspaceChange(workspace_id=self._ledger.workspace_id))
            self._welcomed(await _next(call))
            tasks = [asyncio.create_task(work(call)) for work in (self._hear, self._send)]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[1].done() and not tasks[1].exception():
                await asyncio.wait(tasks[:1], timeout=CLOSE_S)  # the farewell is on its way
                return
            for task in tasks:
                if task.done():
                    task.result()
        except (asyncio.InvalidStateError, grpc.aio.UsageError):
            # a write to a call that has ended says only that; why is the call's own
            raise Broken((await call.code()).name if call.done() else "ended") from None
        finally:
            self.is_established = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            call.cancel()

    def _welcomed(self, state: pb.WorkspaceState) -> None:
        if state.need_resync or state.server_epoch != self._epoch:
            self._ledger.server_is_new()
        else:
            self._ledger.doubt_waiting()
        self._epoch = state.server_epoch
        self._resynced_at = self._ledger.version
        self.stats = Stats()
        self.is_established = True
        self.ever_established.set()
        log.debug("workspace: the stream is established")
        self._send_again()

    # Both directions of one stream

    async def _send(self, call: Any) -> None:
        while True:
            self._room.clear()
            if self._closing.is_set():
                await call.write(
                    pb.WorkspaceChange(workspace_id=self._ledger.workspace_id, close=True)
                )
                await call.done_writing()
                return
            if not self._ledger.has_room:
                await self._room.wait()
                continue
            change = await self._change()
            if change is not None:
                await call.write(change)

    async def _change(self) -> pb.WorkspaceChange | None:
        """Return what is next, or nothing as soon as there is something else to do."""
        making = asyncio.ensure_future(self._next_change())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({making, closing}, return_when=asyncio.FIRST_COMPLETED)
            return making.result() if making.done() else None
        finally:
            closing.cancel()
            if not making.done():
                making.cancel()
                self._unsent()

    async def _hear(self, call: Any) -> None:
        while True:
            state = await _next(call)
            if state.server_epoch and state.server_epoch != self._epoch:
                raise Broken("the server has started anew")
            # A version that was there before: the server says this of its own accord.
            is_new = state.acked_version > self._acked
            self._acked = max(self._acked, state.acked_version)
            self._ledger.acknowledged(state.acked_version)
            refused = self.stats.refused
            if state.refused_path:
                refused += 1
                self._refused(
                    state.refused_path,
                    self._ledger.refused(state.refused_path, state.acked_version),
                )
                log.debug("workspace: a file was refused: %s", state.refused_reason)
            self.stats = Stats(
                files=state.files, tokens=state.tokens, memory_bytes=state.memory_bytes,
                refused=refused,
            )  # fmt: skip
            # What was sent before a resync has its answer in that resync.
            if state.need_resync and not (is_new and state.acked_version <= self._resynced_at):
                self._resync()
            self._room.set()

    def _resync(self) -> None:
        now = asyncio.get_running_loop().time()
        since, self._resynced = now - self._resynced, now
        self._resynced_at = self._ledger.version
        self._ledger.doubt_all()
        if since < HEALTHY_S:  # the next stream begins with it, after a pause
            raise Broken("the server wants everything again and again")
        log.debug("workspace: everything is sent again")
        self._send_again()

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            log.info("workspace: %s", text)


async def _next(call: Any) -> pb.WorkspaceState:
    """Return the next state.

    Raises:
        AioRpcError, Broken: there will be none.
    """
    state = await call.read()
    if not isinstance(state, pb.WorkspaceState):  # grpc.aio.EOF, which has no type
        raise Broken((await call.code()).name)
    return state


async def _message_limit(stub: pb_grpc.CompletionServiceAsyncStub) -> int:
    """Return how many bytes of text a message may have; 0 where the server does not say."""
    try:
        model = await stub.GetModel(pb.GetModelRequest(), timeout=ASK_S)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
            raise
        return 0
    return max(int(model.max_message_bytes) - HEADER_BYTES, 0)


def _pause_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row; they may go on for days."""
    return min(FIRST_BACKOFF_S * 2 ** min(max(failures - 1, 0), 10), LAST_BACKOFF_S)
