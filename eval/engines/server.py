"""A `caret serve`: the one at an address, or one that is started for the run and ends with it.

Each item is asked twice: first exactly as an editor asks, which gives what would be shown and how
long it took, then with ``include_raw`` for the model's own middle, which may take longer than any
editor waits. Neither has a deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence

import grpc
import grpc.aio

from completion.config import Config
from completion.errors import CaretError
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.address import parse_address
from completion.wire.channel import NotServing, open_channel, wait_until_serving
from completion.wire.credentials import NOBODY
from completion.wire.own_server import OwnServer
from eval.engines.base import Engine, Identity
from eval.engines.requests import asked, identity_of
from eval.errors import EngineGone
from eval.item import Answer, Ask, Item

PATIENCE_S = 15.0
"""How long a server that has gone away may take to come back, in seconds."""
_PROBE_S = 2.0
"""How long a server that is there may take to say so."""
_LOADING_S = 180.0
_LONGEST_PAUSE_S = 1.0
_MOST_LOSSES = 4
_WORKSPACE = "the workspace that the items are asked in"
_PASSES = "try again shortly"
"""What a refusal says that is over soon: the queue is full, or the caller has what it may have."""
_LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)
"""What a call ends with when the other side ends: none of them is ever this service's answer to a
request that it has read."""


class Server(Engine):
    """Asks a service over gRPC.

    ``address`` is where one runs; empty: one is started, with ``words`` for its command line.
    """

    name = "server"

    def __init__(
        self,
        config: Config,
        words: Sequence[str] = (),
        address: str = "",
        *,
        patience_s: float = PATIENCE_S,
        on_stage: Callable[[str], None] = lambda stage: None,
    ) -> None:
        self.address = address
        self._start_timeout_s = config.client.start_timeout_s
        self._credentials = config.client.credentials
        self._words = words
        self._patience_s = patience_s
        self._on_stage = on_stage
        self._own: OwnServer | None = None
        self._ended: asyncio.Task[str] | None = None
        self._channel: grpc.aio.Channel | None = None
        self._stub: rpc.CompletionServiceAsyncStub | None = None
        self._identity: Identity | None = None

    async def start(self) -> Identity:
        """Start or reach the service, and ask which model it serves."""
        if not self.address:
            self._own = OwnServer(
                extra_args=self._words,
                start_timeout_s=self._start_timeout_s,
                on_stage=self._on_stage,
            )
            await self._own.start()
            self.address = str(self._own.address)
            self._ended = asyncio.create_task(self._own.wait_ended())
        address = parse_address(self.address)
        self._channel = open_channel(address, NOBODY if self._own else self._credentials)
        self._stub = rpc.CompletionServiceStub(self._channel)  # type: ignore[assignment]
        try:
            await self._until_serving(_PROBE_S)
        except NotServing as error:
            if not error.loading:
                raise CaretError(
                    f"no completion server answers at {address}: is `caret serve` running there?"
                ) from None
            self._on_stage("loading the model")
            await self._until_serving(_LOADING_S)
        self._identity = await self._model()
        return self._identity

    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Ask twice, or once where several candidates are wanted."""
        return await asked(item, ask, lambda request: self._complete(item, request))

    async def sync(
        self, changes: AsyncIterator[pb.WorkspaceChange]
    ) -> AsyncIterator[pb.WorkspaceState]:
        """Apply changes of workspaces over one stream."""
        assert self._stub is not None, "start() comes first"
        try:
            async for state in self._stub.SyncWorkspace(changes):
                yield state
        except grpc.aio.AioRpcError as error:
            code, details = error.code(), error.details() or ""
            if code in _LOST:
                raise EngineGone(f"the completion server at {self.address} has gone away") from None
            raise CaretError(f"the server refused the workspace: {details} ({code.name})") from None

    async def stop(self) -> None:
        """Close the channel, and end the server if it is ours."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = self._stub = None
        if self._ended is not None:
            self._ended.cancel()
            await asyncio.gather(self._ended, return_exceptions=True)
            self._ended = None
        if self._own is not None:
            await self._own.stop()
            self._own, self.address = None, ""

    async def _complete(
        self, item: Item, request: pb.CompleteRequest
    ) -> tuple[pb.CompleteResponse, float]:
        """Return the response and its round trip in milliseconds, over all that passes by itself.

        1. A full queue, or a limit of ours there, is waited for as long as it takes.
        2. A lost connection is taken up again, and the server then has to serve the same model.
        3. Everything else is the end, and so is an item that the connection is lost at each time.
        """
        assert self._stub is not None, "start() comes first"
        pause, losses = 0.02, 0
        while losses < _MOST_LOSSES:
            begin = time.perf_counter()
            try:
                response = await self._stub.Complete(request)
                return response, (time.perf_counter() - begin) * 1e3
            except grpc.aio.AioRpcError as error:
                code, details = error.code(), error.details() or ""
            if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _PASSES in details:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            elif code in _LOST:
                losses += 1
                await self._reconnect()
                if item.workspace:  # which a server that was started anew does not have
                    raise EngineGone(f"the connection was lost, and with it {_WORKSPACE}")
            else:
                raise CaretError(f"item {item.id}: the server refused: {details} ({code.name})")
        raise EngineGone(f"the completion server fails each time it is asked for item {item.id}")

    async def _reconnect(self) -> None:
        """Return when the same model is served again.

        Raises:
            EngineGone: it is not, for as long as one may be patient.
        """
        end = asyncio.get_running_loop().time() + self._patience_s
        while (left := end - asyncio.get_running_loop().time()) > 0:
            if self._ended is not None and self._ended.done():
                raise EngineGone(self._ended.result())
            try:
                await self._until_serving(min(left, _PROBE_S))
                identity = await self._model()
            except NotServing as error:
                if error.loading:  # it is coming back, which takes its time
                    with contextlib.suppress(NotServing):
                        await self._until_serving(_LOADING_S)
                continue
            except grpc.aio.AioRpcError:
                await asyncio.sleep(min(left, 0.1))
                continue
            if identity != self._identity:
                raise EngineGone(f"another model is served at {self.address} now: {identity.name}")
            return
        raise EngineGone(f"the completion server at {self.address} has gone away")

    async def _until_serving(self, timeout_s: float) -> None:
        assert self._channel is not None
        await wait_until_serving(self._channel, timeout_s=timeout_s)

    async def _model(self) -> Identity:
        assert self._stub is not None
        return identity_of(await self._stub.GetModel(pb.GetModelRequest()))
