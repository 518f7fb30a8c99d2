"""From a checked request to ranked candidates: prompt, generation, stop rule, filters, ranking.

It knows the engine's interface and no gRPC. Times are ``time.perf_counter()`` seconds inside and
milliseconds since the request came in on the wire.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from completion.engine.base import Engine, Sampling
from completion.engine.checkpoint import Checkpoint
from completion.filters import pipeline
from completion.filters.eol import unify
from completion.filters.ranking import Offer, distinct, ordered
from completion.filters.stop_rule import StopRule
from completion.filters.stream import Chunk, Stream
from completion.healing.arms import Arm, Heals, healing
from completion.healing.healer import Healer
from completion.prompt.builder import NoRoom, PromptBuilder, one_line_end
from completion.prompt.views import Prompt
from completion.server.branches import Begun, Brancher
from completion.server.candidate import Branch, Generated, generate
from completion.server.gate import Gate
from completion.server.held_workspace import View
from completion.server.job import InvalidField, Job
from completion.server.surroundings import Surroundings
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


class Completed(NamedTuple):
    """What a job came to."""

    response: pb.CompleteResponse
    begun: Begun
    made: list[Generated]
    """Before filters and ranking."""


class Completer:
    """Completes jobs on one engine with one model."""

    def __init__(
        self, engine: Engine, checkpoint: Checkpoint, builder: PromptBuilder, arm: Arm
    ) -> None:
        """Take the parts; ``arm`` is how the model is asked unless a request says otherwise."""
        self._engine = engine
        self._checkpoint = checkpoint
        self._builder = builder
        self._arm = arm
        self.healer = Healer(engine, checkpoint.vocabulary, checkpoint.encoder.encode)
        self._surroundings = Surroundings(checkpoint.encoder)
        self._brancher = Brancher(engine, checkpoint.vocabulary, checkpoint.stop_ids, self.healer)

    def arm_for(self, heals: Heals) -> Arm:
        """Return the arm that a request is answered in; the model's own where it heals exactly.

        A model whose own arm is another one has been measured to be better off with it.
        """
        return self._arm if heals is Heals.EXACT else healing(self._arm, heals)

    def build(
        self, job: Job, clock: Clock, view: View | None = None, cache_salt: str = ""
    ) -> Prompt:
        """Build the prompt, with what is mixed in of ``view``; pure, and timed into ``clock``."""
        begin = time.perf_counter()
        arm, document = self.arm_for(job.heals), one_line_end(job.document)
        typed = self.healer.typed(document.prefix, arm)
        if arm.heals is Heals.ONE_TOKEN:
            typed = self._brancher.typed(document.prefix)
        document = replace(document, prefix=document.prefix[: len(document.prefix) - len(typed)])
        try:
            prompt = self._builder.build(
                document, job.snippets, job.repo_name, max_tokens=job.max_tokens + len(typed)
            )
        except NoRoom as error:
            most = max(0, error.most - len(typed))
            raise InvalidField(f"options.max_tokens must be at most {most}") from None
        mixing = None
        if view is not None:
            mixing = view.mixing(prompt, self._surroundings.of(document, prompt))
        prompt = replace(prompt, arm=str(arm), typed=typed, mixing=mixing, cache_salt=cache_salt)
        clock.prompt_ms = (time.perf_counter() - begin) * 1e3
        return prompt

    async def complete(
        self, job: Job, prompt: Prompt, clock: Clock, deadline: float | None
    ) -> Completed:
        """Return the ranked candidates, and how they came about.

        Raises:
            DeadlineExceeded: nothing was generated before ``deadline`` (event loop time).
        """
        begun = await self._begin(job, prompt, deadline, job.candidates)
        async with aclosing(begun):
            made = await together(
                self._generate(job, prompt, branch, i, deadline, StopRule(job.cursor))
                for i, branch in enumerate(begun.branches)
            )
            better = await self._verdict(begun, deadline)
            if better is not None:
                (branch,) = better.branches
                made = [
                    await self._generate(job, prompt, branch, 0, deadline, StopRule(job.cursor))
                ]
        return Completed(self._response(job, prompt, begun, made, clock), begun, made)

    async def stream(
        self, job: Job, prompt: Prompt, clock: Clock, deadline: float | None
    ) -> AsyncGenerator[Chunk | pb.CompleteResponse, None]:
        """Yield the first candidate's whole lines as they become final, then the response.

        Nothing is yielded while it is in doubt whether the candidate begins with the best leaf.
        """
        chunks: asyncio.Queue[Chunk | None] = asyncio.Queue()

        async def generated(branch: Branch, gate: Gate) -> Generated:
            rule = StopRule(job.cursor)
            filtered = Stream(rule)
            watch = lambda: gate.put(filtered.advance())  # noqa: E731
            made = await self._generate(job, prompt, branch, 0, deadline, rule, watch)
            gate.put(filtered.close()[0])
            return made

        async def run() -> tuple[Begun, Generated]:
            try:
                begun = await self._begin(job, prompt, deadline, 1)
                async with aclosing(begun):
                    gate = Gate(chunks.put_nowait, begun.doubt)
                    made = await generated(begun.branches[0], gate)
                    better = await self._verdict(begun, deadline)
                    if better is None:
                        gate.open()
                    else:
                        made = await generated(better.branches[0], Gate(chunks.put_nowait, None))
                return begun, made
            finally:
                chunks.put_nowait(None)

        task = asyncio.create_task(run())
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            begun, made = await task
            yield self._response(job, prompt, begun, [made], clock)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _verdict(self, begun: Begun, deadline: float | None) -> Begun | None:
        """Return what replaces ``begun``; nothing does when the deadline comes first."""
        try:
            async with asyncio.timeout_at(deadline):
                return await begun.verdict()
        except TimeoutError:
            return None

    def _sampling(self, job: Job, prompt: Prompt, index: int) -> Sampling:
        return Sampling(
            max_tokens=job.max_tokens,
            stop_token_ids=self._checkpoint.stop_ids,
            temperature=job.temperature,
            top_p=job.top_p,
            seed=None if job.seed is None else (job.seed + index) % 2**63,
            mixing=prompt.mixing,
            cache_salt=prompt.cache_salt,
        )

    async def _begin(self, job: Job, prompt: Prompt, deadline: float | None, count: int) -> Begun:
        samplings = [self._sampling(job, prompt, index) for index in range(count)]
        try:
            async with asyncio.timeout_at(deadline):
                return await self._brancher.begin(prompt, self.arm_for(job.heals).heals, samplings)
        except TimeoutError:
            raise DeadlineExceeded from None

    async def _generate(
        self, job: Job, prompt: Prompt, branch: Branch, index: int, deadline: float | None,
        rule: StopRule, watch: Callable[[], None] = lambda: None,
    ) -> Generated:  # fmt: skip
        return await generate(
            self._engine, self._checkpoint.vocabulary, prompt.token_ids,
            self._sampling(job, prompt, index), rule, branch=branch, deadline=deadline,
            to_the_end=job.include_raw, watch=watch,
        )  # fmt: skip

    def _response(
        self, job: Job, prompt: Prompt, begun: Begun, made: list[Generated], clock: Clock
    ) -> pb.CompleteResponse:
        if not any(m.first_token_at for m in made):
            raise DeadlineExceeded
        candidates, declined = _ranked(job, made)
        usage = pb.Usage(
            prompt_tokens=len(prompt.token_ids),
            cached_tokens=(begun.stats or made[0].stats).cached_tokens,
            generated_tokens=sum(len(m.ends) for m in made),
            healed_bytes=len(prompt.typed),
            cover_contexts=len(begun.contexts),
            omitted_mass_bound=begun.omitted,
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

    Filters cut at the end, take blanks off the start and write other line ends, so that is what is
    counted.
    """
    if text and b"\r" in middle:
        return len(middle)
    text = unify(text)
    front = 0 if middle.startswith(text) else len(middle) - len(middle.lstrip(b" \t"))
    return min(len(middle), front + len(text))


def _ranked(job: Job, made: list[Generated]) -> tuple[list[pb.Candidate], str]:
    """Return the candidates that differ, best first, and why nothing would be shown.

    With ``include_raw`` the greedy or first drawn one leads, all stay that differ in their raw
    text, whatever the filters left of them, and the reason is the first one's.
    """
    kept: list[tuple[pb.Candidate, Offer]] = []
    reasons: list[str] = []
    for one in made:
        candidate, reason = _candidate(job, one)
        reasons.append(reason)
        if candidate is not None:
            kept.append((candidate, _offer(job, candidate, one)))
    if job.include_raw:
        raw: dict[bytes, tuple[pb.Candidate, Offer]] = {}
        for candidate, offer in kept:
            raw.setdefault(candidate.raw_text, (candidate, offer))
        kept = list(raw.values())
        order = ordered([offer for _, offer in kept[1:]], job.cursor, first=False)
        return [kept[0][0], *(kept[1 + place][0] for place in order)], reasons[0]
    kept = [kept[place] for place in distinct([offer for _, offer in kept])]
    order = ordered([offer for _, offer in kept], job.cursor)
    declined = "" if kept else next(filter(None, reasons), "")
    return [kept[place][0] for place in order], declined


def _candidate(job: Job, made: Generated) -> tuple[pb.Candidate | None, str]:
    """Return the filtered candidate, and why nothing of it would be shown.

    With ``include_raw`` one that was filtered to nothing is there all the same, for its raw text.
    """
    result = pipeline.run_stopped(made.raw, made.text, made.stop, job.cursor)
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


def _offer(job: Job, candidate: pb.Candidate, made: Generated) -> Offer:
    """Return what counts of a candidate; of what was generated where the filters left nothing."""
    length = 0 if candidate.tokens else len(made.raw)
    return Offer(
        text=candidate.text.removeprefix(job.selected.text),
        replace_after=candidate.replace_after - job.selected.replace_after,
        log_prob=candidate.log_prob if candidate.tokens else made.log_prob(length),
        tokens=candidate.tokens or made.tokens(length),
    )
