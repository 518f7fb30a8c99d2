"""From a checked request to ranked candidates: prompt, generation, stop rule, filters, ranking.

It knows the engine's interface and no gRPC. Times are ``time.perf_counter()`` seconds inside and
milliseconds since the request came in on the wire.
"""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

from completion.engine.base import Engine, Sampling
from completion.engine.checkpoint import Checkpoint
from completion.filters import pipeline
from completion.filters.eol import unify
from completion.filters.stop_rule import StopRule
from completion.filters.stream import Chunk, Stream
from completion.prompt.builder import PromptBuilder
from completion.prompt.views import Prompt
from completion.server.branches import Brancher
from completion.server.candidate import Branch, Generated, generate
from completion.server.job import Job
from completion.together import together
from completion.wire import completion_pb2 as pb


class DeadlineExceeded(Exception):
    """The deadline came before a single token did."""


@dataclass(kw_only=True, slots=True)
class Clock:
    """One request: its name on the wire, and when its stages happened."""

    completion_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    received: float = field(default_factory=time.perf_counter)
    queue_ms: float = 0.0
    prompt_ms: float = 0.0

    def since(self, moment: float) -> float:
        """Milliseconds from the request's arrival to ``moment``; 0 when it never came."""
        return (moment - self.received) * 1e3 if moment else 0.0


class Completer:
    """Completes jobs on one engine with one model."""

    def __init__(self, engine: Engine, checkpoint: Checkpoint, builder: PromptBuilder) -> None:
        self._engine = engine
        self._checkpoint = checkpoint
        self._builder = builder
        self._brancher = Brancher(engine, checkpoint.vocabulary, checkpoint.stop_ids)

    def build(self, job: Job, clock: Clock) -> Prompt:
        """Build the prompt; pure, and timed into ``clock``."""
        begin = time.perf_counter()
        typed = self._typed(job)
        document = job.document
        if typed:
            document = replace(document, prefix=document.prefix[: -len(typed)])
        prompt = self._builder.build(
            document, job.snippets, job.repo_name, max_tokens=job.max_tokens + len(typed)
        )
        if job.heals:
            prompt = replace(prompt, arm=prompt.arm.replace("naive_", "one_token_"))
        clock.prompt_ms = (time.perf_counter() - begin) * 1e3
        return prompt

    async def complete(
        self, job: Job, prompt: Prompt, clock: Clock, deadline: float | None
    ) -> pb.CompleteResponse:
        """Return the ranked candidates.

        Raises:
            DeadlineExceeded: nothing was generated before ``deadline`` (event loop time).
        """
        branches = await self._branches(job, prompt, deadline, job.candidates)
        made = await together(
            self._generate(job, prompt, branch, i, deadline, StopRule(job.cursor))
            for i, branch in enumerate(branches)
        )
        return self._response(job, prompt, made, clock)

    async def stream(
        self, job: Job, prompt: Prompt, clock: Clock, deadline: float | None
    ) -> AsyncGenerator[Chunk | pb.CompleteResponse, None]:
        """Yield the first candidate's whole lines as they become final, then the response."""
        chunks: asyncio.Queue[Chunk | None] = asyncio.Queue()
        rule = StopRule(job.cursor)
        filtered = Stream(rule)

        def put(chunk: Chunk | None) -> None:
            if chunk is not None:
                chunks.put_nowait(chunk)

        async def run() -> Generated:
            try:
                watch = lambda: put(filtered.advance())  # noqa: E731
                (branch,) = await self._branches(job, prompt, deadline, 1)
                made = await self._generate(job, prompt, branch, 0, deadline, rule, watch)
                put(filtered.close()[0])
                return made
            finally:
                chunks.put_nowait(None)

        task = asyncio.create_task(run())
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            yield self._response(job, prompt, [await task], clock)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _typed(self, job: Job) -> bytes:
        """Return the bytes before the cursor that are taken out of the prompt and spelled again."""
        return self._brancher.typed(job.document.prefix) if job.heals else b""

    def _sampling(self, job: Job, index: int) -> Sampling:
        return Sampling(
            max_tokens=job.max_tokens,
            stop_token_ids=self._checkpoint.stop_ids,
            temperature=job.temperature,
            top_p=job.top_p,
            seed=None if job.seed is None else (job.seed + index) % 2**63,
        )

    async def _branches(
        self, job: Job, prompt: Prompt, deadline: float | None, count: int
    ) -> list[Branch]:
        samplings = [self._sampling(job, index) for index in range(count)]
        try:
            async with asyncio.timeout_at(deadline):
                return await self._brancher.begin(prompt.token_ids, self._typed(job), samplings)
        except TimeoutError:
            raise DeadlineExceeded from None

    async def _generate(
        self, job: Job, prompt: Prompt, branch: Branch, index: int, deadline: float | None,
        rule: StopRule, watch: Callable[[], None] = lambda: None,
    ) -> Generated:  # fmt: skip
        return await generate(
            self._engine, self._checkpoint.vocabulary, prompt.token_ids,
            self._sampling(job, index), rule, branch=branch, deadline=deadline,
            to_the_end=job.include_raw, watch=watch,
        )  # fmt: skip

    def _response(
        self, job: Job, prompt: Prompt, made: list[Generated], clock: Clock
    ) -> pb.CompleteResponse:
        if not any(m.first_token_at for m in made):
            raise DeadlineExceeded
        candidates, declined = _ranked(job, made)
        usage = pb.Usage(
            prompt_tokens=len(prompt.token_ids),
            cached_tokens=made[0].stats.cached_tokens,
            generated_tokens=sum(len(m.ends) for m in made),
            healed_bytes=len(self._typed(job)),
        )
        timings = pb.Timings(
            queue=clock.queue_ms,
            prompt=clock.prompt_ms,
            first_token=clock.since(made[0].first_token_at),
            first_line=clock.since(made[0].first_line_at),
            total=clock.since(time.perf_counter()),
        )
        return pb.CompleteResponse(
            completion_id=clock.completion_id,
            candidates=candidates,
            usage=usage,
            timings=timings,
            model=self._checkpoint.name,
            declined=declined,
        )


def _shown(middle: bytes, text: bytes) -> int:
    """Return how many bytes of ``middle`` are in ``text``, what the filters left of it.

    Filters cut at the end and write other line ends, so that is what is counted.
    """
    if text and b"\r" in middle:
        return len(middle)
    return min(len(middle), len(unify(text)))


def _ranked(job: Job, made: list[Generated]) -> tuple[list[pb.Candidate], str]:
    """Return the candidates that differ, best first, and why nothing would be shown.

    The greedy or first drawn one leads; the others by how sure the model was a token. With
    ``include_raw`` all stay that differ in their raw text, whatever the filters left of them, and
    the reason is the first one's.
    """
    kept: list[tuple[pb.Candidate, float]] = []
    reasons: list[str] = []
    seen: set[bytes] = set()
    for one in made:
        candidate, reason = _candidate(job, one)
        reasons.append(reason)
        if candidate is None:
            continue
        text = candidate.raw_text if job.include_raw else candidate.text
        if text not in seen:
            seen.add(text)
            kept.append((candidate, _sureness(candidate, one)))
    candidates = [c for c, _ in kept[:1] + sorted(kept[1:], key=lambda pair: -pair[1])]
    if job.include_raw:
        return candidates, reasons[0]
    return candidates, "" if candidates else next(filter(None, reasons), "")


def _candidate(job: Job, made: Generated) -> tuple[pb.Candidate | None, str]:
    """Return the filtered candidate, and why nothing of it would be shown.

    With ``include_raw`` one that was filtered to nothing is there all the same, for its raw text.
    """
    result = pipeline.run(made.text, job.cursor)
    reason = result.declined
    if reason:
        if not job.include_raw:
            return None, reason
        result = replace(result, text=b"", replace_after=0)
    kept = _shown(made.text, result.text)
    candidate = pb.Candidate(
        text=job.selected.text + result.text,
        replace_before=job.selected.replace_before,
        replace_after=job.selected.replace_after + result.replace_after,
        log_prob=made.log_prob(kept),
        tokens=made.tokens(kept),
        stop_reason=int(made.stop.reason),  # type: ignore[arg-type]
    )
    if job.include_raw:
        candidate.raw_text = made.raw
        candidate.raw_stop_reason = int(made.raw_reason)  # type: ignore[assignment]
    return candidate, reason


def _sureness(candidate: pb.Candidate, made: Generated) -> float:
    """Return the log-probability a token; of what was generated where the filters left nothing."""
    if candidate.tokens:
        return candidate.log_prob / candidate.tokens
    length = len(made.raw)
    tokens = made.tokens(length)
    return made.log_prob(length) / tokens if tokens else -math.inf
