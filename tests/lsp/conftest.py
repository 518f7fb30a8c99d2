"""A completion service whose answers a test decides, and real `caret lsp` processes before it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as pb_grpc
from completion.wire.channel import SERVICE_NAME
from lsp.session import LspSession, lsp_command


def candidate(text: str, **fields: Any) -> pb.CompleteResponse:
    """A response of one candidate."""
    return pb.CompleteResponse(candidates=[pb.Candidate(text=text.encode(), **fields)])


class Service(pb_grpc.CompletionServiceServicer):
    """Answers as `answer` says, once `gate` is open; counts what runs and what was cancelled."""

    def __init__(self, folder: Path) -> None:
        self.address = f"unix:{folder / 's.sock'}"
        self.answer: Callable[[pb.CompleteRequest], pb.CompleteResponse] = lambda r: candidate(
            "done"
        )
        self.status: grpc.StatusCode | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.requests: list[pb.CompleteRequest] = []
        self.running = self.cancelled = 0
        self._news = asyncio.Condition()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        self._server = grpc.aio.server()
        self._server.add_insecure_port(self.address)
        pb_grpc.add_CompletionServiceServicer_to_server(self, self._server)
        self.health = health_aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        await self.loaded(True)
        await self._server.start()

    async def loaded(self, is_loaded: bool) -> None:
        """Let the health service say so."""
        status = health_pb2.HealthCheckResponse
        await self.health.set(SERVICE_NAME, status.SERVING if is_loaded else status.NOT_SERVING)

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.stop(None)

    async def Complete(self, request, context):
        self.requests.append(request)
        self.running += 1
        await self._tell()
        try:
            await self.gate.wait()
            if self.status is not None:
                await context.abort(self.status, "as the test wants")
            return self.answer(request)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
            await asyncio.shield(self._tell())

    async def Explain(self, request, context):
        self.requests.append(request)
        return pb.ExplainResponse(used=request.snippets)

    async def GetModel(self, request, context):
        return pb.Model(name="a test's")

    async def until(self, wanted: Callable[[Service], bool]) -> None:
        """Wait until `wanted` is true; it is asked again at each request's begin and end."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: wanted(self))

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    folder = Path(tempfile.mkdtemp(prefix="caret-test-"))
    one = Service(folder)
    await one.start()
    yield one
    await one.stop()
    shutil.rmtree(folder)


@pytest.fixture
def editor(service: Service, tmp_path: Path):
    """Start `caret lsp` before the service; `async with editor(...) as session`."""

    @contextlib.asynccontextmanager
    async def start(
        *flags: str,
        settings: Any = None,
        environment: dict[str, str] | None = None,
        rootless: bool = False,
        **initialize: Any,
    ) -> AsyncIterator[LspSession]:
        command = lsp_command("--server", service.address, "--log-level", "debug", *flags)
        # No user file of whoever runs the tests, and no index in their cache.
        environment = {
            "XDG_CONFIG_HOME": str(tmp_path / "none"),
            "XDG_CACHE_HOME": str(tmp_path / ".cache"),
            **(environment or {}),
        }
        async with LspSession(command, settings=settings, environment=environment) as session:
            session.capabilities = await session.initialize(
                None if rootless else tmp_path, **initialize
            )
            await session.ready()
            yield session

    return start
