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
        self.feedback: list[pb.FeedbackEvent] = []
        self.refuse_feedback: list[grpc.StatusCode] = []
        self.feedback_calls: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.requests: list[pb.CompleteRequest] = []
        self.likely: Callable[[str], float] = lambda text: -float(len(text))
        self.scored: list[pb.ScoreRequest] = []
        self.score_gate = asyncio.Event()
        self.score_gate.set()
        self.scores_cancelled = 0
        self.running = self.cancelled = 0
        self.lines: asyncio.Semaphore | None = None
        """Where there is one, a stream gives a line for each time that it is released."""
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
        async with self._at_work(request):
            return await self._answer(request, context)

    async def StreamComplete(self, request, context):
        """The same answer: in lines if `lines` says so, each when that is released."""
        async with self._at_work(request):
            response = await self._answer(request, context)
            first = response.candidates[0] if response.candidates else pb.Candidate()
            for piece in (
                first.text.splitlines(keepends=True) if self.lines is not None else [first.text]
            ):
                if self.lines is not None:
                    await self.lines.acquire()
                yield pb.CompleteChunk(
                    completion_id=response.completion_id, text=piece,
                    replace_after=first.replace_after,
                )  # fmt: skip
            yield pb.CompleteChunk(done=True, summary=response)

    @contextlib.asynccontextmanager
    async def _at_work(self, request):
        self.requests.append(request)
        self.running += 1
        await self._tell()
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
            await asyncio.shield(self._tell())

    async def Score(self, request, context):
        self.scored.append(request)
        await self._tell()
        try:
            await self.score_gate.wait()
            return pb.ScoreResponse(log_probs=[self.likely(t.decode()) for t in request.texts])
        except asyncio.CancelledError:
            self.scores_cancelled += 1
            raise
        finally:
            await asyncio.shield(self._tell())

    async def _answer(self, request, context):
        await self.gate.wait()
        if self.status is not None:
            await context.abort(self.status, "as the test wants")
        return self.answer(request)

    async def Explain(self, request, context):
        self.requests.append(request)
        return pb.ExplainResponse(used=request.snippets)

    async def RecordFeedback(self, request_iterator, context):
        got = [event async for event in request_iterator]
        self.feedback += got
        self.feedback_calls.append([event.event_id for event in got])
        await self._tell()
        if self.refuse_feedback:
            await context.abort(self.refuse_feedback.pop(0), "as the test wants")
        return pb.FeedbackSummary(recorded=len(got))

    async def GetModel(self, request, context):
        return pb.Model(name="a test's")

    async def until(self, wanted: Callable[[Service], bool]) -> None:
        """Wait until `wanted` is true; it is asked again at each request's begin and end."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: wanted(self))

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


@contextlib.asynccontextmanager
async def running_service() -> AsyncIterator[Service]:
    """A service on a socket whose path is short enough."""
    folder = Path(tempfile.mkdtemp(prefix="caret-test-"))
    one = Service(folder)
    await one.start()
    yield one
    await one.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running_service() as one:
        yield one


@pytest.fixture
def editor(service: Service, tmp_path: Path):
    """Start `caret lsp` before the service; `async with editor(...) as session`."""

    @contextlib.asynccontextmanager
    async def start(
        *flags: str,
        settings: Any = None,
        environment: dict[str, str] | None = None,
        rootless: bool = False,
        always_ask: bool = False,
        **initialize: Any,
    ) -> AsyncIterator[LspSession]:
        command = lsp_command("--server", service.address, "--log-level", "debug", *flags)
        if always_ask:  # nothing is served from memory: each request is seen by the service
            initialize["capabilities"] = {"experimental": {"caretAlwaysAsk": True}}
        # No user file of whoever runs the tests, no index in their cache, no feedback of theirs.
        environment = {
            "XDG_STATE_HOME": str(tmp_path / ".state"),
            "XDG_CONFIG_HOME": str(tmp_path / "none"),
            "XDG_CACHE_HOME": str(tmp_path / ".cache"),
            # What reaches the service is counted, so nothing is asked for that nobody asks for.
            "CARET_CLIENT_SPECULATE": "false",
            **(environment or {}),
        }
        async with LspSession(command, settings=settings, environment=environment) as session:
            session.capabilities = await session.initialize(
                None if rootless else tmp_path, **initialize
            )
            await session.ready()
            yield session

    return start
