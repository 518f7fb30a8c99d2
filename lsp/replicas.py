"""Several servers that serve the same, as one service: each document has its own among them.

So the prefix cache of a document's server stays warm (:mod:`completion.wire.rendezvous`). What a server
cannot answer because it is gone goes to the next one of the document, in the time that is left; when
it is back, its documents return to it. Each is kept in touch with by a :class:`lsp.client.Service`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from completion.wire import completion_pb2 as pb
from completion.wire.credentials import NOBODY, Credentials
from completion.wire.rendezvous import ranked
from lsp.client import Connection, Listener, Service, Stage


def addresses_of(text: str) -> list[str]:
    """Return the addresses that ``text`` names, commas between them, each once."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


class Replicas:
    """What :class:`lsp.client.Service` is, over several addresses; :meth:`close` it at the end."""

    def __init__(
        self, addresses: Sequence[str], listener: Listener, credentials: Credentials = NOBODY
    ) -> None:
        self._addresses = list(addresses)
        self._listener = listener
        self._stages = [Stage.LOADING] * len(addresses)
        self._stage: Stage | None = None
        self.links = tuple(
            Service(address=address, credentials=credentials, listener=self._listener_of(number))
            for number, address in enumerate(addresses)
        )
        """One for each server."""

    @property
    def is_ready(self) -> bool:
        """Whether a request would be sent now."""
        return any(link.is_ready for link in self.links)

    @property
    def is_local(self) -> bool:
        """Whether what is sent stays on this machine, as far as addresses can say that."""
        return all(link.is_local for link in self.links)

    def start(self) -> None:
        """Begin to connect to all of them, in the background."""
        for link in self.links:
            link.start()

    async def close(self) -> None:
        """Disconnect."""
        await asyncio.gather(*(link.close() for link in self.links))

    async def connection(self, after: int = 0, *, document: str = "") -> Connection:
        """Return a connection to the server of ``document``, or as soon as there is any."""
        for link in self._ready(document):
            return await link.connection()
        waiting = [asyncio.ensure_future(link.connection(after)) for link in self.links]
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for task in waiting:
                task.cancel()

    async def complete(
        self, request: pb.CompleteRequest, *, timeout_s: float
    ) -> pb.CompleteResponse | None:
        """Return the answer, or None when there is none; cancelling it cancels the call."""
        end = _now() + timeout_s
        for link in self._ready(request.document.path):
            answer = await link.complete(request, timeout_s=end - _now())
            if answer is not None or link.is_ready or _now() >= end:
                return answer
        return None

    async def score(self, request: pb.ScoreRequest, *, timeout_s: float) -> pb.ScoreResponse | None:
        """Return scores to rank by, or None when there are none; cancelling it cancels the call."""
        end = _now() + timeout_s
        for link in self._ready(request.document.path):
            answer = await link.score(request, timeout_s=end - _now())
            if answer is not None or link.is_ready or _now() >= end:
                return answer
        return None

    async def stream(
        self, request: pb.CompleteRequest, *, timeout_s: float
    ) -> AsyncGenerator[pb.CompleteChunk, None]:
        """Yield the answer in whole lines as they come, its summary last; closing it cancels the call.

        What one server has begun another may end, if that comes to the same text so far.
        """
        end, given = _now() + timeout_s, b""
        for link in self._ready(request.document.path):
            text = b""
            async with aclosing(link.stream(request, timeout_s=end - _now())) as chunks:
                async for chunk in chunks:
                    text += chunk.text
                    if not (text.startswith(given) if chunk.done else _agree(text, given)):
                        return
                    if chunk.done:
                        yield chunk
                        return
                    if len(text) > len(given):
                        chunk.text, given = text[len(given) :], text
                        yield chunk
            if link.is_ready or _now() >= end:
                return

    def _ready(self, document: str) -> Iterator[Service]:
        """Yield who may be asked about ``document``, the best first; each as it is by then."""
        for number in ranked(document, self._addresses):
            if self.links[number].is_ready:
                yield self.links[number]

    def _listener_of(self, number: int) -> Listener:
        def stage(now: Stage) -> None:
            self._stages[number] = now
            self._tell()

        def fail(text: str) -> None:
            if all(one is Stage.FAILED for one in self._stages):
                self._listener.fail(text)
            else:
                others = "the other servers go on" if self.is_ready else "others are still awaited"
                self._listener.warn(f"{text}; {others}")

        return Listener(stage=stage, warn=self._listener.warn, fail=fail)

    def _tell(self) -> None:
        """Tell of the stage of the whole: that of the best of them."""
        best = next(
            stage for stage in (Stage.READY, Stage.LOADING, Stage.FAILED) if stage in self._stages
        )
        if best is not self._stage:
            self._stage = best
            self._listener.stage(best)


def _agree(one: bytes, other: bytes) -> bool:
    return one.startswith(other) or other.startswith(one)


def _now() -> float:
    return asyncio.get_running_loop().time()
