"""The model in this process: the service's own handlers, called without gRPC.

The same requests go through the same queue, checks, prompts, stop rule and filters as in
`caret serve`; what is left out is the wire.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from completion.config import Config
from completion.errors import CaretError
from completion.wire import completion_pb2 as pb
from eval.engines.base import Engine, Identity
from eval.engines.requests import asked, identity_of
from eval.errors import EngineGone
from eval.item import Answer, Ask, Item

if TYPE_CHECKING:
    from completion.engine.vllm import VllmEngine
    from completion.server.service import CompletionService


class InProcess(Engine):
    """Runs the model of ``config`` on vLLM, its engine core in a process of its own."""

    name = "in-process"

    def __init__(self, config: Config) -> None:
        self._config = config
        self._engine: VllmEngine | None = None
        self._service: CompletionService | None = None

    async def start(self) -> Identity:
        """Load the model; about eight seconds on two idle CPU cores."""
        from completion.engine import preload
        from completion.engine.environment import prepare
        from completion.engine.vllm import VllmEngine

        prepare(self._config.model)  # vLLM is imported in a second process while this one reads on
        from completion.engine.checkpoint import load_checkpoint
        from completion.server.metrics import Metrics
        from completion.server.service import CompletionService

        try:
            checkpoint = await asyncio.to_thread(load_checkpoint, self._config.model.path)
            self._engine = VllmEngine(checkpoint, self._config.model)
            await self._engine.start()
        except BaseException:
            preload.abandon()
            raise
        self.checkpoint = checkpoint
        self._service = CompletionService(self._config, Metrics())
        self._service.ready(self._engine, checkpoint)
        return identity_of(await self._service.GetModel(pb.GetModelRequest(), _HERE))

    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Ask twice, or once where several candidates are wanted."""
        return await asked(item, ask, lambda request: self._complete(item, request))

    async def sync(
        self, changes: AsyncIterator[pb.WorkspaceChange]
    ) -> AsyncIterator[pb.WorkspaceState]:
        """Apply changes of workspaces by the service's handler."""
        assert self._service is not None, "start() comes first"
        try:
            async for state in self._service.SyncWorkspace(changes, _HERE):
                yield state
        except _Aborted as error:
            raise CaretError(
                f"the service refused the workspace: {error.details} ({error.code.name})"
            ) from None

    async def stop(self) -> None:
        """End the engine core."""
        if self._engine is not None:
            engine, self._engine = self._engine, None
            await engine.stop()

    async def _complete(
        self, item: Item, request: pb.CompleteRequest
    ) -> tuple[pb.CompleteResponse, float]:
        assert self._service is not None, "start() comes first"
        while True:
            begin = time.perf_counter()
            try:
                response = await self._service.Complete(request, _HERE)
                return response, (time.perf_counter() - begin) * 1e3
            except _Aborted as error:
                if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
                    await asyncio.sleep(_PAUSE_S)
                    continue
                if self._engine is None or not await self._engine.alive():
                    raise EngineGone(error.details) from None
                said = f"the model refused: {error.details} ({error.code.name})"
                raise CaretError(f"item {item.id}: {said}") from None


_PAUSE_S = 0.05
"""Until a full queue is tried again, in seconds."""


class _Aborted(Exception):
    """What the service's handler answered instead of a response."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code, self.details = code, details


class _Here:
    """What a handler needs of a call's context: no deadline, and a way to refuse."""

    def time_remaining(self) -> None:
        """There is no deadline."""

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Nothing is said beside the request."""
        return ()

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Refuse."""
        raise _Aborted(code, details)


_HERE: Any = _Here()
