"""The completion service as the language server sees it: ready or not, an answer or none.

Without an address a server is started or, shared with the user's other editors, found; it is watched,
and started again when it dies. Nothing here makes an editor wait: while there is no service, and
whenever it fails, the answer is None at once.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import grpc
import grpc.aio

from completion.errors import CaretError
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as pb_grpc
from completion.wire.address import parse_address
from completion.wire.channel import NotServing, answers, open_channel, wait_until_serving
from completion.wire.credentials import NOBODY, Credentials
from completion.wire.effort import FOR_RANKING
from completion.wire.own_server import OwnServer
from completion.wire.shared_server import CannotShare, SharedServer
from completion.wire.started_server import StartedServer
from lsp.server_identity import identity, with_absolute_model

log = logging.getLogger("caret.lsp")

FIRST_BACKOFF_S = 0.5
LAST_BACKOFF_S = 30.0
ATTEMPTS = 3
"""How often in a row a server may fail before the user is told that it does; one that has not served
even once by then is given up, for nothing will have changed the next time."""

HEALTHY_S = 10.0
"""A server that has served so long is replaced at once when it dies, and that is no failure."""

REACH_S = 5.0
"""How long a server elsewhere may be out of reach before the user is told, in seconds."""

_MEND = "run `caret doctor` to see what is missing"
_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
"""What a call ends with when its server ends, the second when gRPC drops it there unread."""
_SILENT = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED)


class Stage(Enum):
    """What the service is doing."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    """Who is told: ``stage`` of each change, ``warn`` and ``fail`` one line for the user, once."""

    stage: Callable[[Stage], None] = lambda stage: None
    warn: Callable[[str], None] = lambda text: None
    fail: Callable[[str], None] = lambda text: None


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """One stretch of being connected; ``number`` counts them from 1."""

    stub: pb_grpc.CompletionServiceAsyncStub
    number: int


class Service:
    """A connection to a completion service; :meth:`close` it at the end.

    ``credentials`` are for the server at ``address``. Without an address a server is started with
    ``serve_args``: the one that the user's editors share, which stays ``shared_idle_s`` seconds after the
    last of them; None: one of its own.
    """

    def __init__(
        self,
        *,
        address: str = "",
        credentials: Credentials = NOBODY,
        serve_args: Sequence[str] = (),
        shared_idle_s: float | None = None,
        start_timeout_s: float = 120.0,
        listener: Listener,
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._told_unauthenticated = False
        self._serve_args = tuple(serve_args)
        self._shared_idle_s = shared_idle_s
        self._start_timeout_s = start_timeout_s
        self._listener = listener
        self._stub: pb_grpc.CompletionServiceAsyncStub | None = None
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._probing: asyncio.Task[None] | None = None
        self._channel: grpc.aio.Channel | None = None
        """To a server elsewhere."""
        self._connections = 0
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def is_ready(self) -> bool:
        """Whether a request would be sent now."""
        return self._stub is not None

    @property
    def is_local(self) -> bool:
        """Whether what is sent stays on this machine, as far as an address can say that."""
        try:
            return not self._address or parse_address(self._address).is_local
        except CaretError:
            return False  # nothing is sent there at all

    @property
    def links(self) -> tuple[Service, ...]:
        """The servers this is made of, see :class:`lsp.replicas.Replicas`: itself."""
        return (self,)

    async def connection(self, after: int = 0, *, document: str = "") -> Connection:
        """Return the connection there is, or the next one, whose number is more than ``after``.

        That it is for a ``document`` makes a difference among several servers only.
        """
        while self._stub is None or self._connections <= after:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        return Connection(stub=self._stub, number=self._connections)

    def start(self) -> None:
        """Begin to connect, in the background."""
        keep = self._keep_remote() if self._address else self._keep_started()
        self._task = asyncio.create_task(keep, name="service")

    async def close(self) -> None:
        """Disconnect, and end a server of its own; a shared one goes on."""
        if self._task is not None:
            tasks = [task for task in (self._task, self._probing) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def complete(
        self, request: pb.CompleteRequest, *, timeout_s: float
    ) -> pb.CompleteResponse | None:
        """Return the answer, or None when there is none; cancelling it cancels the call."""
        if self._stub is None:
            return None
        try:
            return await self._stub.Complete(request, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            self._refused(error)
        except asyncio.CancelledError:
            if not is_channel_closed():
                raise
        return None

    async def score(self, request: pb.ScoreRequest, *, timeout_s: float) -> pb.ScoreResponse | None:
        """Return scores to rank by, or None when there are none; cancelling it cancels the call."""
        if self._stub is None:
            return None
        try:
            return await self._stub.Score(request, timeout=timeout_s, metadata=FOR_RANKING)
        except grpc.aio.AioRpcError as error:
            self._refused(error)
        except asyncio.CancelledError:
            if not is_channel_closed():
                raise
        return None

    async def stream(
        self, request: pb.CompleteRequest, *, timeout_s: float
    ) -> AsyncGenerator[pb.CompleteChunk, None]:
        """Yield the answer in whole lines as they come, its summary last; closing it cancels the call.

        It ends without a summary where there is no answer.
        """
        if self._stub is None:
            return
        call = self._stub.StreamComplete(request, timeout=timeout_s)
        try:
            async for chunk in call:
                yield chunk
        except grpc.aio.AioRpcError as error:
            self._refused(error)
        except asyncio.CancelledError:
            if not is_channel_closed():
                raise
        finally:
            call.cancel()

    def _refused(self, error: grpc.aio.AioRpcError) -> None:
        if error.code() in _GONE:
            self._lost.set()
            if self._address:  # until it is reached again; one that was started tells of its end
                self._stub = None
        elif error.code() is grpc.StatusCode.UNAUTHENTICATED:
            if not self._told_unauthenticated:
                self._told_unauthenticated = True
                self._listener.stage(Stage.FAILED)
                self._listener.fail(f"{self._address} refused: {error.details()}")
        elif error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and self._channel is not None:
            if self._probing is None or self._probing.done():
                self._probing = asyncio.create_task(self._probe(self._channel))
        elif error.code() not in _SILENT:
            log.warning("the service refused: %s (%s)", error.details(), error.code().name)

    async def _probe(self, channel: grpc.aio.Channel) -> None:
        """Give up a server elsewhere that says nothing at all; one that is only slow does."""
        if not await answers(channel) and channel is self._channel:
            self._stub = None
            self._lost.set()

    def _connected(self, channel: grpc.aio.Channel) -> None:
        self._lost.clear()
        self._told_unauthenticated = False
        self._stub = pb_grpc.CompletionServiceStub(channel)
        self._connections += 1
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._listener.stage(Stage.READY)

    def _server(self) -> StartedServer:
        """Return the server that is to be started, or found."""
        if self._shared_idle_s is not None:
            try:
                return SharedServer(
                    identity=identity(), extra_args=with_absolute_model(self._serve_args),
                    idle_s=self._shared_idle_s, start_timeout_s=self._start_timeout_s,
                )  # fmt: skip
            except CannotShare as error:
                self._shared_idle_s = None
                if sys.platform != "win32":  # there it has none either, and that will be said
                    self._listener.warn(f"this editor has a server of its own: {error.message}")
        return OwnServer(
            extra_args=self._serve_args,
            start_timeout_s=self._start_timeout_s,
            on_line=lambda line: log.debug("serve: %s", line),
        )

    async def _keep_started(self) -> None:
        """Keep a server running, until it fails to come up :data:`ATTEMPTS` times in a row."""
        loop = asyncio.get_running_loop()
        failures = 0
        hopeless = 0
        told = False
        while True:
            self._listener.stage(Stage.LOADING)
            since: float | None = None
            try:
                async with self._server() as server:
                    channel = server.channel()
                    try:
                        since = loop.time()
                        self._connected(channel)
                        reason = await server.wait_ended()
                    finally:
                        self._stub = None
                        await channel.close(None)
            except CaretError as error:
                reason = error.message
            if since is not None and loop.time() - since > HEALTHY_S:
                failures = 0
            hopeless = hopeless + 1 if since is None else 0
            failures += 1
            told = told and failures > 1
            log.error("%s", reason)
            if failures >= ATTEMPTS or since is None:
                self._listener.stage(Stage.FAILED)
                if not told:
                    told = True
                    self._listener.fail(f"{reason}; {_MEND}")
            elif failures == 1:
                self._listener.warn(f"{reason}; it is being started again")
            if hopeless >= ATTEMPTS:
                return
            await asyncio.sleep(min(FIRST_BACKOFF_S * 2 ** min(failures - 1, 10), LAST_BACKOFF_S))

    async def _keep_remote(self) -> None:
        """Keep in touch with a server elsewhere; the user is told once each time it is lost."""
        try:
            address = parse_address(self._address)
            channel = self._channel = open_channel(address, self._credentials)
        except CaretError as error:
            self._listener.stage(Stage.FAILED)
            self._listener.fail(error.message)
            return
        if not address.is_local and not self._credentials.is_encrypted:
            self._listener.warn(f"source text is sent to {address} without encryption")
        try:
            while True:
                self._listener.stage(Stage.LOADING)
                await self._reach(channel, str(address))
                self._connected(channel)
                await self._lost.wait()
                self._stub = None
        finally:
            self._stub = self._channel = None
            await channel.close(None)

    async def _reach(self, channel: grpc.aio.Channel, address: str) -> None:
        told = False
        while True:
            try:
                interval = 0.5 if told else 0.05
                await wait_until_serving(channel, timeout_s=REACH_S, interval_s=interval)
                return
            except NotServing as error:
                log.error("%s: %s", address, error.message)
                if not told and not error.loading:
                    told = True
                    self._listener.stage(Stage.FAILED)
                    self._listener.fail(
                        f"no completion service at {address}; start `caret serve` there, or {_MEND}"
                    )


def is_channel_closed() -> bool:
    """Tell what asyncio.CancelledError means to whoever catches it around a call.

    It is how a call says that its channel was closed, which happens to those that are under way when
    a server dies; the task that waits for it then goes on. Unless it is being cancelled itself.
    """
    task = asyncio.current_task()
    return task is not None and not task.cancelling()
