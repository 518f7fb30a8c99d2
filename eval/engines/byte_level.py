"""Byte-greedy decoding in this process: the likeliest next byte of one model, or of two averaged.

The request is the service's, and so are prompt, cover, stop rule and filters; only who draws is
another. One decoding gives both texts: the cut one ends where the stop rule says so, and what comes
behind it is for the raw one alone, so the timings are an editor's.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from completion.config import Config
from completion.errors import CaretError, UsageError
from completion.filters import pipeline
from completion.filters.stop_rule import StopReason, StopRule
from completion.healing.byte_decoding import Decoded, byte_greedy, shares
from completion.server.job import InvalidField, Job, job_from
from completion.together import together
from eval.engines.base import Engine, Identity
from eval.engines.byte_reading import Reading, read_text
from eval.engines.members import Begun, Member, identity_of, load_members, other
from eval.engines.requests import request_for
from eval.errors import EngineGone
from eval.item import Answer, Ask, Item, Timings

MOST_BYTES_A_TOKEN = 16
"""Bytes after which an answer ends for each token that was asked for, whatever its tokens are."""

Load = Callable[[Sequence[Config]], Awaitable[list[Member]]]


class ByteLevel(Engine):
    """The models of ``configs``, averaged with ``weights``; ``load`` starts them."""

    def __init__(
        self,
        configs: Sequence[Config],
        weights: Sequence[float] = (),
        load: Load = load_members,
    ) -> None:
        self._configs = configs
        self._parts = shares(weights, len(configs))
        self._load = load
        self._members: list[Member] = []

    async def start(self) -> Identity:
        """Load the models, one after the other."""
        self._members = await self._load(self._configs)
        return identity_of(self._members, self._parts)

    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Decode greedily; of several candidates that are wanted there is this one.

        Raises:
            UsageError: a draw is wanted, or the usual remedy for the word at the cursor.
        """
        if ask.temperature:
            raise UsageError(f"--engine {self.name} draws nothing: leave --temperature out")
        if ask.healing == "one-token":
            raise UsageError(
                f"--engine {self.name} heals exactly or not at all: --healing exact or off"
            )
        try:
            job = job_from(request_for(item, ask, include_raw=ask.raw), self._configs[0].generation)
            return await self._decode(job)
        except InvalidField as error:
            raise CaretError(f"item {item.id}: the model refused: {error}") from None
        except CaretError as error:
            raise await self._mishap(error, f"item {item.id}: ") from None

    async def read_text(self, text: bytes) -> Reading:
        """Return the bits that ``text`` costs, read from its beginning.

        Raises:
            EngineGone: a model will answer nothing more.
            CaretError: a model has no token that documents stand behind.
        """
        try:
            return await read_text(self._members, self._parts, text)
        except CaretError as error:
            raise await self._mishap(error) from None

    async def stop(self) -> None:
        """End the engine cores."""
        members, self._members = self._members, []
        await together(member.engine.stop() for member in members)

    async def _decode(self, job: Job) -> Answer:
        begin = time.perf_counter()
        begun = [member.begin(job) for member in self._members]
        watch = _Watch(job=job, first=begun[0])
        decoded = await byte_greedy(
            [one.model for one in begun],
            weights=self._parts,
            limit=MOST_BYTES_A_TOKEN * job.max_tokens,
            stop=watch,
        )
        return _answer(job, decoded, watch, begun, begin)

    async def _mishap(self, error: CaretError, what: str = "") -> CaretError:
        """Return what is to be raised for a failed request: whether there is more to be had."""
        for member in self._members:
            if not await member.engine.alive():
                return EngineGone(f"{member.checkpoint.name}: {error.message}")
        return type(error)(f"{what}{error.message}")


class ByteGreedy(ByteLevel):
    """One model."""

    name: ClassVar[str] = "byte-greedy"

    def __init__(self, config: Config, load: Load = load_members) -> None:
        super().__init__([config], load=load)


class Ensemble(ByteLevel):
    """Two models, of any two tokenizers: ``weight`` for the first, the rest for the second."""

    name: ClassVar[str] = "ensemble"

    def __init__(
        self, config: Config, second: str, weight: float = 0.5, load: Load = load_members
    ) -> None:
        super().__init__([config, other(config, second)], (weight, 1 - weight), load)


@dataclass(slots=True)
class _Watch:
    """Feeds the stop rule, counts tokens, and notes when things happened.

    An answer has as many tokens as the first model's likeliest spelling of it, so that it is as long
    as that model's own answers are.
    """

    job: Job
    first: Begun
    rule: StopRule = field(init=False)
    first_at: float = 0.0
    line_at: float = 0.0
    stopped_at: float = 0.0

    def __post_init__(self) -> None:
        self.rule = StopRule(self.job.cursor)

    def __call__(self, new: bytes) -> bool:
        """Take a byte; return whether nothing more is wanted."""
        now = time.perf_counter()
        self.first_at = self.first_at or now
        if not self.line_at and new == b"\n":
            self.line_at = now
        if not self.stopped_at and self.rule.feed(new) is not None:
            self.stopped_at = now
        if self.stopped_at and not self.job.include_raw:
            return True
        return self.tokens >= self.job.max_tokens

    @property
    def tokens(self) -> int:
        """Of the answer so far."""
        return self.first.model.tokens - self.first.typed_tokens


def _answer(
    job: Job, decoded: Decoded, watch: _Watch, begun: Sequence[Begun], begin: float
) -> Answer:
    reason = StopReason.MODEL if decoded.ended == "end" else StopReason.LENGTH
    stop = watch.rule.finish(reason)
    result = pipeline.run_stopped(decoded.text, decoded.text[: stop.length], stop, job.cursor)
    ended = watch.stopped_at or time.perf_counter()
    raw = decoded.text if job.include_raw else None

    def since(moment: float) -> float:
        return ((moment or ended) - begin) * 1e3

    return Answer(
        raw=raw,
        cut=None if result.declined else result.text,
        replace_after=0 if result.declined else result.replace_after,
        raw_end=reason.name.lower() if raw is not None else "",
        cut_end="" if result.declined else stop.reason.name.lower(),
        declined=result.declined,
        ranked=(raw,) if raw is not None and job.candidates > 1 else (),
        log_prob=sum(decoded.log_probs),
        timings=Timings(
            prompt_ms=sum(one.prompt_ms for one in begun),
            first_token_ms=since(watch.first_at),
            first_line_ms=since(min(watch.line_at or ended, ended)),
            total_ms=since(ended),
            round_trip_ms=since(ended),
            prompt_tokens=len(begun[0].prompt),
            generated_tokens=watch.tokens,
        ),
        data={
            "bytes": len(decoded.text),
            "rows": [one.model.rows_asked for one in begun],
            "omitted": max(one.model.omitted for one in begun),
            "given_up": [one.model.given_up for one in begun],
            "doubtful": decoded.doubtful,
        },
    )
