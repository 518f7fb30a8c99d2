"""One candidate: engine steps in, bytes through the stop rule, until it ends and why.

A candidate may begin with a branch: what was already drawn of it, and the request that goes on. The
loop is a coroutine rather than a generator so that one deadline can interrupt it wherever it
waits; a caller that wants the text as it comes passes ``watch``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from completion.engine.base import Engine, RequestStats, Sampling, Step
from completion.filters.stop_rule import Stop, StopReason, StopRule
from completion.healing.vocabulary import Vocabulary
from completion.server.running import Started


@dataclass(kw_only=True, slots=True)
class Generated:
    """What became of one candidate before filters."""

    rule: StopRule
    raw: bytes = b""
    """Everything the model said until it ended, or until the stop rule fired if nobody wants more."""
    raw_reason: StopReason = StopReason.LENGTH
    ids: list[int] = field(default_factory=list[int])
    """The tokens behind the prompt, those that spell what was typed among them."""
    ends: list[int] = field(default_factory=list[int])
    """Where each token's bytes end in ``raw``."""
    log_probs: list[float] = field(default_factory=list[float])
    first_token_at: float = 0.0
    """``time.perf_counter()`` when it came; 0 when none did."""
    first_line_at: float = 0.0
    stats: RequestStats = field(default_factory=RequestStats)

    @property
    def text(self) -> bytes:
        """The middle, as the stop rule cut it."""
        return self.raw[: self.stop.length]

    @property
    def stop(self) -> Stop:
        """Where the middle ends and why."""
        return self.rule.finish(self.raw_reason)

    def log_prob(self, length: int) -> float:
        """Return the log-probability of the tokens that begin in the first ``length`` bytes."""
        starts = [0, *self.ends]
        return sum(p for p, start in zip(self.log_probs, starts, strict=False) if start < length)

    def tokens(self, length: int) -> int:
        """Return how many tokens begin in the first ``length`` bytes."""
        return sum(1 for start in [0, *self.ends[:-1]] if start < length) if self.ends else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """What is already drawn of a candidate when it begins."""

    tokens: tuple[int, ...] = ()
    text: bytes = b""
    """What they spell beyond the text that was taken out of the prompt."""
    log_prob: float = 0.0
    """Of the token that ``text`` ends with; 0 without text."""
    ended: bool = False
    """The model ends the middle here."""
    started: Started | None = None
    """The request that goes on behind ``tokens``, where it already runs."""


async def generate(
    engine: Engine,
    vocabulary: Vocabulary,
    prompt: list[int],
    sampling: Sampling,
    rule: StopRule,
    *,
    branch: Branch,
    deadline: float | None,
    to_the_end: bool = False,
    watch: Callable[[], None] = lambda: None,
) -> Generated:
    """Generate one candidate until the stop rule, the model, the length or ``deadline`` ends it.

    ``deadline`` is in the event loop's time. ``to_the_end`` goes on after the stop rule until the
    model ends, for ``raw_text``. ``watch`` is called whenever ``rule`` has seen more.
    """
    made = Generated(rule=rule, ids=list(branch.tokens))
    stops = frozenset(sampling.stop_token_ids)
    stopped = False

    def feed(new: bytes, log_prob: float) -> bool:
        """Take the bytes of one token; returns whether generation may end."""
        nonlocal stopped
        now = time.perf_counter()
        made.first_token_at = made.first_token_at or now
        made.raw += new
        made.ends.append(len(made.raw))
        made.log_probs.append(log_prob)
        if not made.first_line_at and b"\n" in new:
            made.first_line_at = now
        if not stopped:
            stopped = rule.feed(new) is not None
            watch()
        return stopped and not to_the_end

    def take(token: int, log_prob: float) -> bool:
        """Take one token; returns whether generation may end."""
        if token in stops:
            made.first_token_at = made.first_token_at or time.perf_counter()
            made.raw_reason = StopReason.MODEL
            return True
        made.ids.append(token)
        return feed(vocabulary.bytes_of((token,)), log_prob)

    ended = bool(branch.text) and feed(branch.text, branch.log_prob)
    left = sampling.max_tokens - len(made.ends)
    if branch.ended:
        made.first_token_at, made.raw_reason = time.perf_counter(), StopReason.MODEL
    if not (ended or branch.ended) and left > 0:
        if branch.text:  # what others have in hand is theirs before the engine is asked for more
            await asyncio.sleep(0)
        running: Started | AsyncGenerator[Step, None] = branch.started or engine.generate(
            [*prompt, *branch.tokens], replace(sampling, max_tokens=left), made.stats
        )
        try:
            async with asyncio.timeout_at(deadline), aclosing(running):
                async for step in running:
                    for token, log_prob in zip(step.token_ids, step.log_probs, strict=True):
                        ended = take(token, log_prob)
                        if ended:
                            break
                    if ended:
                        break
        except TimeoutError:
            made.raw_reason = StopReason.DEADLINE
    rule.finish(made.raw_reason)
    made.first_line_at = made.first_line_at or time.perf_counter()
    return made
