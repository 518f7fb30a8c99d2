"""One editor as the service sees it: a real file typed key by key, in bursts with pauses.

Asks as ``caret lsp`` does: at each key, or only where the typing pauses once answers take longer than
a key; the next key cancels what is under way. Nothing is served from memory, so that each request
costs the service what it costs. Keeps counts and times, no text.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio

from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc

ANSWERED, CANCELLED, REFUSED = "answered", "cancelled", grpc.StatusCode.RESOURCE_EXHAUSTED.name
"""What may become of a request that is no error; the names of other statuses are."""
_WINDOW = 64 << 10
"""Bytes before and after the cursor, the default of ``client.context_bytes``."""
_OLD = 0.8
"""Weight of what was known of a client's latency, in the mean that it goes by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How a client types; seconds, means of exponential laws where not said otherwise."""

    key_s: float = 0.18
    """From key to key in a burst: some 65 words a minute."""
    burst: int = 10
    """Keys, at most twice as many."""
    think_s: float = 3.0
    """Behind a burst: what is shown is looked at."""
    timeout_s: float = 4.0
    """Deadline of a request, the default of ``client.timeout_ms``; exact."""


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What became of the requests of one client."""

    ends: Counter[str] = field(default_factory=Counter[str])
    first_ms: list[float] = field(default_factory=list[float])
    """From the request to the first line, or to the summary where there is none."""
    whole_ms: list[float] = field(default_factory=list[float])

    @property
    def asked(self) -> int:
        """How many requests were sent."""
        return sum(self.ends.values())

    @property
    def kept(self) -> int:
        """How many of them were not given up by the client itself."""
        return self.asked - self.ends[CANCELLED]

    @property
    def answered_share(self) -> float:
        """Share of the requests that were not given up; 1 where there are none."""
        return self.ends[ANSWERED] / self.kept if self.kept else 1.0

    @property
    def errors(self) -> Counter[str]:
        """What must not be, by status."""
        fine = (ANSWERED, CANCELLED, REFUSED)
        return Counter({end: count for end, count in self.ends.items() if end not in fine})


class TypingClient:
    """Types until it is cancelled; :attr:`outcome` is there all the while."""

    def __init__(
        self, stub: rpc.CompletionServiceAsyncStub, file: Path, seed: int, manner: Manner
    ) -> None:
        self._stub, self._manner = stub, manner
        self._random = random.Random(seed)
        self._text = file.read_bytes()
        self._path = file.name
        self._latency_s = 0.0
        self._under_way: asyncio.Task[None] | None = None
        self.outcome = Outcome()

    async def type(self) -> None:
        """Type on and on, beginning somewhere else each time the file ends."""
        await asyncio.sleep(self._random.uniform(0, self._manner.think_s))
        try:
            while True:
                at = self._random.randrange(len(self._text) // 4, len(self._text) * 3 // 4)
                # What is typed is taken out of the file first, as if it were not written yet.
                end = self._text.find(b"\n\n", at + 400)
                end = len(self._text) if end < 0 else end
                while at < end:
                    at = await self._burst(at, end)
        finally:
            await self._give_up()

    async def _burst(self, at: int, end: int) -> int:
        """Type some keys, then look; return how far the text goes now."""
        keys = self._random.randint(1, 2 * self._manner.burst)
        for left in reversed(range(keys)):
            if at >= end:
                break
            at += 1
            await self._give_up()
            pause = self._random.expovariate(1 / self._manner.key_s)
            if left == 0 or at >= end or self._latency_s < self._manner.key_s:
                self._under_way = asyncio.create_task(self._ask(at, end))
            await asyncio.sleep(pause)
        await asyncio.sleep(self._random.expovariate(1 / self._manner.think_s))
        return at

    async def _give_up(self) -> None:
        task, self._under_way = self._under_way, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _ask(self, at: int, end: int) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        first: float | None = None
        call = self._stub.StreamComplete(self._request(at, end), timeout=self._manner.timeout_s)
        try:
            async for _ in call:
                first = first or loop.time() - begin
        except asyncio.CancelledError:
            self._note(CANCELLED, loop.time() - begin)
            raise
        except grpc.aio.AioRpcError as error:
            self._note(error.code().name, loop.time() - begin)
            return
        finally:
            call.cancel()
        whole = loop.time() - begin
        self.outcome.first_ms.append((first or whole) * 1e3)
        self.outcome.whole_ms.append(whole * 1e3)
        self._note(ANSWERED, first or whole)

    def _note(self, end: str, taken_s: float) -> None:
        self.outcome.ends[end] += 1
        if end == CANCELLED and taken_s < self._latency_s:
            return  # given up early: it says nothing of the service
        self._latency_s = _OLD * self._latency_s + (1 - _OLD) * taken_s

    def _request(self, at: int, end: int) -> pb.CompleteRequest:
        return pb.CompleteRequest(
            trigger=pb.CompleteRequest.TRIGGER_AUTOMATIC,
            document=pb.Document(
                path=self._path, language_id="python",
                prefix=self._text[max(0, at - _WINDOW) : at], suffix=self._text[end : end + _WINDOW],
                prefix_truncated=at > _WINDOW, suffix_truncated=end + _WINDOW < len(self._text),
            ),
        )  # fmt: skip
