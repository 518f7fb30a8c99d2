"""The handlers of ``CompletionService``: gRPC in, the completer's answers out, errors mapped.

Cancelling a call cancels its handler's task, and with it the engine's request. Between calls nothing
is kept of them but ids of completions, so that feedback can be told from noise.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any, NamedTuple

import grpc
import grpc.aio

from completion.config import Config
from completion.engine.base import Engine
from completion.engine.checkpoint import Checkpoint
from completion.errors import CaretError, UsageError
from completion.filters.stream import Chunk
from completion.healing.arms import Heals
from completion.healing.search import MEASURING, RANKING
from completion.prompt.budget import Shares
from completion.prompt.views import Prompt
from completion.server.admission import Admission, QueueFull
from completion.server.branches import Begun
from completion.server.caller import CALLER
from completion.server.completer import Clock, Completer, DeadlineExceeded
from completion.server.feedback import Feedback
from completion.server.held_workspace import View
from completion.server.job import HEALS, InvalidField, Job, job_from
from completion.server.laws import Laws, NoLaw
from completion.server.logs import event
from completion.server.metrics import Metrics
from completion.server.sources import decided, sources_of
from completion.server.workspaces import Workspaces
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.effort import is_for_ranking

API_REVISION = 4
"""Counts up whenever the contract gains something that a client may want to know of."""

Context = grpc.aio.ServicerContext[Any, Any]


class CompletionService(rpc.CompletionServiceServicer):
    """The service on one engine; UNAVAILABLE until :meth:`ready` gives it one, and after :meth:`end`."""

    def __init__(self, config: Config, metrics: Metrics) -> None:
        self._config = config
        self._metrics = metrics
        self._engine: Engine | None = None
        self._checkpoint: Checkpoint | None = None
        self._completer: Completer | None = None
        self._workspaces: Workspaces | None = None
        self._feedback = Feedback(metrics)
        self._ending = False
        self.admission = Admission(
            running=config.server.max_running, queued=config.server.max_queued
        )

    def ready(self, engine: Engine, checkpoint: Checkpoint) -> None:
        """Serve from now on."""
        self._engine, self._checkpoint = engine, checkpoint
        generation = self._config.generation
        self._arm = checkpoint.arm(self._config.model.arm)
        builder = checkpoint.prompt_builder(
            layout=self._arm.layout,
            context_tokens=engine.info.context_tokens,
            shares=Shares(prefix=generation.prefix_share, snippets=generation.snippet_share),
        )
        self._completer = Completer(engine, checkpoint, builder, self._arm)
        healer, unhealed = self._completer.healer, checkpoint.unhealed
        self._laws = Laws(healer, builder, self._arm, unhealed=unhealed)
        self._unmixed = unhealed
        if not self._config.model.workspace_tokens:
            self._unmixed = "no workspace is mixed in: model.workspace_tokens is 0"
        if not self._unmixed:
            self._workspaces = Workspaces(engine, checkpoint.encoder)

    def end(self) -> None:
        """Take no more requests; those that were taken go on."""
        self._ending = True

    # Handlers ---------------------------------------------------------------------------------

    async def Complete(self, request: pb.CompleteRequest, context: Context) -> pb.CompleteResponse:
        """Return the best completions at the cursor."""
        async with self._call("Complete", context):
            return (await self._complete(request, context)).response

    async def StreamComplete(
        self, request: pb.CompleteRequest, context: Context
    ) -> AsyncGenerator[pb.CompleteChunk, None]:
        """Yield the first candidate in whole lines, then the whole response."""
        async with self._call("StreamComplete", context):
            clock, job, completer = Clock(), self._job(request), self._ready()
            deadline = self._deadline(context)
            if job.selected.text:
                raise InvalidField("selected_completion is for Complete, not StreamComplete")
            async with self.admission.place() as clock.queue_ms:
                with self._seen_by(request) as view:
                    prompt = completer.build(job, clock, view, CALLER.get().salt)
                    parts = completer.stream(job, prompt, clock, deadline)
                    first, identity = True, clock.completion_id
                    try:
                        async for part in parts:
                            if isinstance(part, Chunk):
                                after = part.replace_after if first else 0
                                yield pb.CompleteChunk(
                                    completion_id=identity, text=part.text, replace_after=after
                                )
                                first = False
                                continue
                            self._metrics.observe(part)
                            self._feedback.made(identity)
                            yield pb.CompleteChunk(completion_id=identity, done=True, summary=part)
                    finally:
                        await parts.aclose()

    async def Explain(self, request: pb.CompleteRequest, context: Context) -> pb.ExplainResponse:
        """Return the prompt, what it was made of, and what came of it."""
        async with self._call("Explain", context):
            done = await self._complete(request, context, explained=True)
            assert self._checkpoint is not None
            prompt = done.prompt
            answer = pb.ExplainResponse(
                prompt=prompt.text(),
                token_ids=prompt.token_ids,
                used=[
                    pb.Snippet(path=s.path, text=s.text, kind=s.kind, relevance=s.relevance)
                    for s in prompt.used
                ],
                stable_tokens=prompt.stable_tokens,
                arm=prompt.arm,
                sources=done.sources,
                response=done.response,
            )
            answer.parts.extend(
                pb.PromptPart(kind=p.kind, text=p.text, tokens=p.tokens) for p in prompt.pieces
            )
            answer.dropped.extend(pb.Dropped(path=d.path, reason=d.reason) for d in prompt.dropped)
            for one in done.begun.contexts:
                rest = prompt.typed[one.at :]
                spelled = [self._checkpoint.vocabulary.bytes_of([token]) for token in one.ids]
                answer.cover.add(
                    token_ids=one.ids, remainder=rest, log_weight=one.log_weight, tokens=spelled
                )
            return answer

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.Model:
        """Return what is being served."""
        async with self._call("GetModel", context):
            self._ready()
            engine, checkpoint = self._engine, self._checkpoint
            assert engine is not None
            assert checkpoint is not None
            return pb.Model(
                name=checkpoint.name,
                version=checkpoint.version,
                context_tokens=engine.info.context_tokens,
                fim_template=checkpoint.template.family,
                device=engine.info.device,
                engine=engine.info.engine,
                languages=checkpoint.languages,
                arm=str(self._arm),
                healing=_HEALING[self._arm.heals],
                healing_reason=self._why(),
                checksum=checkpoint.checksum,
                max_message_bytes=self._config.server.max_message_bytes,
                api_revision=API_REVISION,
            )

    async def NextBytes(
        self, request: pb.NextBytesRequest, context: Context
    ) -> pb.NextBytesResponse:
        """Return the law of the byte behind the cursor."""
        async with self._call("NextBytes", context):
            self._ready()
            async with self.admission.place(), self._in_time(context):
                with self._seen_by(request) as view:
                    return await self._laws.next_bytes(request, view, cache_salt=CALLER.get().salt)

    async def Score(self, request: pb.ScoreRequest, context: Context) -> pb.ScoreResponse:
        """Return how probable each of some texts is behind the cursor.

        A caller who says with :data:`~completion.wire.effort.FOR_RANKING` that it only orders the
        texts gets it sooner: more may be left out then, as the bound says.
        """
        effort = RANKING if is_for_ranking(context.invocation_metadata()) else MEASURING
        async with self._call("Score", context):
            self._ready()
            async with self.admission.place(), self._in_time(context):
                with self._seen_by(request) as view:
                    return await self._laws.score(
                        request, view, effort, cache_salt=CALLER.get().salt
                    )

    async def SyncWorkspace(
        self, request_iterator: AsyncIterator[pb.WorkspaceChange], context: Context
    ) -> AsyncIterator[pb.WorkspaceState]:
        """Take changes of workspaces, and acknowledge each."""
        async with self._call("SyncWorkspace", context):
            self._ready()
            if self._workspaces is None:
                # What ends while its first message is on the way reaches some clients as a broken
                # call, without the reason.
                await anext(aiter(request_iterator), None)
                raise NoLaw(self._unmixed)
            async with aclosing(self._workspaces.sync(request_iterator)) as states:
                async for state in states:
                    yield state

    async def RecordFeedback(
        self, request_iterator: AsyncIterator[pb.FeedbackEvent], context: Context
    ) -> pb.FeedbackSummary:
        """Count what became of completions."""
        async with self._call("RecordFeedback", context):
            summary = pb.FeedbackSummary()
            async for event in request_iterator:
                self._feedback.take(event, summary)
            return summary

    # What they share --------------------------------------------------------------------------

    async def _complete(
        self, request: pb.CompleteRequest, context: Context, *, explained: bool = False
    ) -> _Done:
        clock, job, completer = Clock(), self._job(request), self._ready()
        deadline = self._deadline(context)
        async with self.admission.place() as clock.queue_ms:
            with self._seen_by(request) as view:
                prompt = completer.build(job, clock, view, CALLER.get().salt)
                done = await completer.complete(job, prompt, clock, deadline)
                sources: list[pb.TokenSource] = []
                if explained and self._workspaces is not None:
                    assert self._engine is not None
                    assert self._checkpoint is not None
                    sources = await sources_of(
                        self._engine, self._checkpoint, self._workspaces, prompt, done.made[0].ids
                    )
                    done.response.usage.workspace_tokens = decided(sources)
        response, begun = done.response, done.begun
        self._metrics.observe(response)
        self._feedback.made(response.completion_id)
        if prompt.typed:
            self._metrics.omitted.observe(begun.omitted)
        return _Done(prompt, begun, response, sources)

    def _seen_by(
        self, request: pb.CompleteRequest | pb.NextBytesRequest | pb.ScoreRequest
    ) -> AbstractContextManager[View | None]:
        """Hold what the request sees of its workspace."""
        if self._workspaces is None:
            return nullcontext()
        return self._workspaces.seen_by(request.workspace_id, request.document.path)

    def _job(self, request: pb.CompleteRequest) -> Job:
        job = job_from(request, self._config.generation)
        if self._checkpoint is not None and self._checkpoint.unhealed:
            return replace(job, heals=Heals.OFF)
        return job

    def _why(self) -> str:
        """Return why the model heals in another way than exactly; empty where it does that."""
        assert self._checkpoint is not None
        if self._arm.heals is Heals.EXACT:
            return ""
        default = f"{self._arm} is how this model is asked by default; model.arm says otherwise"
        return self._checkpoint.unhealed or default

    def _ready(self) -> Completer:
        if self._ending:
            raise CaretError("the server is ending")
        if self._completer is None:
            raise _Loading
        return self._completer

    def _deadline(self, context: Context) -> float | None:
        """Return the event loop's time by which there must be an answer; None: there is no limit.

        Ask early: gRPC tells it by the wall clock, which may be set while a request waits.
        """
        remaining = context.time_remaining()
        if remaining is None or remaining > 1e6:
            return None
        margin = self._config.generation.deadline_margin_ms / 1e3
        return asyncio.get_running_loop().time() + max(0.0, remaining - margin)

    @asynccontextmanager
    async def _in_time(self, context: Context) -> AsyncGenerator[None, None]:
        """Raise DeadlineExceeded where the caller's deadline comes first."""
        try:
            async with asyncio.timeout_at(self._deadline(context)):
                yield
        except TimeoutError:
            raise DeadlineExceeded from None

    def _call(self, method: str, context: Context) -> _Call:
        return _Call(method, context, self._metrics)


class _Done(NamedTuple):
    """A request that was completed."""

    prompt: Prompt
    begun: Begun
    response: pb.CompleteResponse
    sources: list[pb.TokenSource]


_HEALING = {heals: wire for wire, heals in HEALS.items()}


class _Loading(Exception):
    """The model is not there yet."""


class _Call:
    """Maps what a handler raises to a status, and counts the call."""

    def __init__(self, method: str, context: Context, metrics: Metrics) -> None:
        self._method, self._context, self._metrics = method, context, metrics

    async def __aenter__(self) -> None:
        """Begin."""

    async def __aexit__(
        self, kind: type | None, error: BaseException | None, trace: object
    ) -> None:
        """Count, and abort with the status that ``error`` means."""
        status, detail = _status(error)
        self._metrics.requests.labels(self._method, status.name).inc()
        if error is None or isinstance(error, (asyncio.CancelledError, GeneratorExit)):
            return
        if status is grpc.StatusCode.INTERNAL:
            # The type alone: a message may quote the text that was worked on.
            event(
                logging.ERROR, "handler failed", method=self._method, error=kind and kind.__name__
            )
            where = traceback.format_tb(error.__traceback__)
            event(logging.DEBUG, "where it failed", traceback="".join(where))
        await self._context.abort(status, detail)


def _status(error: BaseException | None) -> tuple[grpc.StatusCode, str]:
    code = grpc.StatusCode
    match error:
        case None:
            return code.OK, ""
        case asyncio.CancelledError() | GeneratorExit():
            return code.CANCELLED, ""
        case InvalidField():
            return code.INVALID_ARGUMENT, str(error)
        case NoLaw():
            return code.FAILED_PRECONDITION, str(error)
        case QueueFull():
            return code.RESOURCE_EXHAUSTED, "the queue is full; try again shortly"
        case DeadlineExceeded():
            return code.DEADLINE_EXCEEDED, "nothing was generated before the deadline"
        case _Loading():
            return code.UNAVAILABLE, "the model is loading"
        case UsageError():  # max_tokens leaves no room for a prompt
            return code.INVALID_ARGUMENT, error.message
        case CaretError():  # the process is about to end, or the engine has died and it will
            return code.UNAVAILABLE, error.message
        case _:
            return code.INTERNAL, "internal error; the server's log has its kind"
