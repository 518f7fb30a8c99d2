"""Events on their way to the server, where the user switched that on: in batches, sent again if lost.

The server counts an event once however often it comes, so what may have arrived is sent again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence

import grpc
import grpc.aio

from completion.wire import completion_pb2 as pb
from lsp.client import Service, is_channel_closed
from lsp.feedback.events import Event, Kind
from lsp.replicas import Replicas

log = logging.getLogger("caret.lsp")

MOST_WAITING = 1000
"""Events that wait while there is no server; beyond, the oldest is dropped."""
BATCH = 100
TIMEOUT_S = 10.0
RETRY_S = 30.0

_KINDS = {kind: pb.FeedbackEvent.Kind.Value(kind.name) for kind in Kind}


class Sharing:
    """Sends events over ``service``, from the event loop only; :meth:`close` it at the end."""

    def __init__(self, service: Service | Replicas) -> None:
        self._service = service
        self._waiting: deque[Event] = deque(maxlen=MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    def add(self, events: Sequence[Event]) -> None:
        """Have ``events`` sent."""
        self._waiting.extend(events)
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._send_all(), name="feedback")

    async def close(self) -> None:
        """End; what has not been sent stays in the store."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _send_all(self) -> None:
        while self._waiting:
            connection = await self._service.connection()
            batch = [self._waiting[n] for n in range(min(BATCH, len(self._waiting)))]
            try:
                await connection.stub.RecordFeedback(_wire(batch), timeout=TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                code = error.code()
                log.info("feedback was not taken (%s)", code.name)
                if code in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INVALID_ARGUMENT):
                    self._sent(batch)  # nor will it be another time
                else:
                    await asyncio.sleep(RETRY_S)
                continue
            except asyncio.CancelledError:
                if not is_channel_closed():
                    raise
                continue  # the server has ended; there will be another
            self._sent(batch)

    def _sent(self, batch: Sequence[Event]) -> None:
        for event in batch:  # the oldest may have been dropped meanwhile
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()


async def _wire(events: Sequence[Event]) -> AsyncIterator[pb.FeedbackEvent]:
    for event in events:
        yield pb.FeedbackEvent(
            completion_id=event.completion_id, kind=_KINDS[event.kind],
            accepted_bytes=event.accepted_bytes, after_seconds=event.after_s,
            kept_share=event.kept_share, event_id=event.event_id, candidate=event.candidate,
            visible_ms=event.visible_ms, reason=event.reason, language_id=event.language,
            scope=event.scope,
        )  # fmt: skip
