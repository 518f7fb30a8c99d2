"""What decoding by bytes costs, over decoding by tokens with the same model, and of two models over one.

All legs run behind the same prompts in one process and in turn, each as long as its own answer is;
what is compared is time over bytes, the end counting as one. Cursors are random places of real files,
prompts as typed, so that no leg has anything to heal.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from completion.config import Config
from completion.engine.base import RequestStats, Sampling
from completion.errors import CaretError
from completion.healing.byte_decoding import byte_greedy
from completion.server.job import Job, job_from
from completion.together import together
from completion.wire import completion_pb2 as pb
from eval.bench.latency import Row
from eval.engines.members import Member, load_members, other

TOKENS = 24
"""The longest answer by tokens; by bytes it may have :data:`MOST_BYTES`."""
MOST_BYTES = 80
"""What 24 tokens of code spell, about."""
OVER_TOKENS = 4.0
"""A bar: some two rows a token, each a request of its own, where decoding takes a step."""
OVER_ONE = 2.0
"""A bar: twice the model, if nothing is gained by asking both at once."""
ROWS = 0.6
"""A bar: a token has three to four bytes, and half of the places are in doubt."""
LEAST_BYTES = 8
"""Answers that end sooner in any leg are left out: there the prompt is what is timed."""
_FOLDER = Path(__file__).parents[2] / "completion" / "server"
_CONTEXT = 1500
_TRIED = 20
"""Cursors tried for each that is wanted."""


@dataclass(slots=True)
class _Leg:
    """One way to answer, and what it took at each cursor."""

    run: Callable[[Job], Awaitable[tuple[int, list[int]]]]
    """Answers, and returns how many bytes that is, the end among them, and the rows of each model."""
    ms_a_byte: list[float] = field(default_factory=list[float])
    rows_a_byte: list[list[float]] = field(default_factory=list[list[float]])


async def rows(
    config: Config, second: str | None, rounds: int, say: Callable[[str], None]
) -> list[Row]:
    """Return the ratios; those of two models where ``second`` names the other.

    Raises:
        UsageError: there is no such model.
        CaretError: the models end at once nearly everywhere.
    """
    configs = [config] if second is None else [config, other(config, second)]
    members = await load_members(configs)
    try:
        names = [member.checkpoint.name for member in members]
        first = members[:1]
        legs = {
            "tokens": _Leg(run=lambda job: _by_tokens(first[0], job)),
            "bytes": _Leg(run=lambda job: _by_bytes(first, job)),
        }
        if second is not None:
            legs["mean"] = _Leg(run=lambda job: _by_bytes(members, job))
        await _measure(legs, members, rounds, say)
    finally:
        await together(member.engine.stop() for member in members)
    medians = {name: statistics.median(leg.ms_a_byte) for name, leg in legs.items()}
    say(", ".join(f"{name} {value:.2f} ms a byte" for name, value in medians.items()))
    count = len(legs["tokens"].ms_a_byte)
    found = [
        Row(
            f"a byte by byte-greedy over one by tokens, {names[0]}",
            medians["bytes"] / medians["tokens"], OVER_TOKENS, count,
        ),
        Row(f"rows of {names[0]} a byte", _mean(legs["bytes"], 0), ROWS, count),
    ]  # fmt: skip
    if second is not None:
        both = f"the mean with {names[1]}"
        ratio = medians["mean"] / medians["bytes"]
        found.append(Row(f"a byte of {both} over one of {names[0]} alone", ratio, OVER_ONE, count))
        found += [
            Row(f"rows of {name} a byte, in {both}", _mean(legs["mean"], number), ROWS, count)
            for number, name in enumerate(names)
        ]
    return found


async def _measure(
    legs: dict[str, _Leg], members: Sequence[Member], rounds: int, say: Callable[[str], None]
) -> None:
    order = list(legs)
    for number, job in enumerate(_jobs(rounds * _TRIED)):
        for member in members:  # the prompt is cached, as while typing
            await _by_tokens(member, job, tokens=1)
        taken: dict[str, tuple[float, int, list[int]]] = {}
        for name in order if number % 2 else order[::-1]:
            begin = time.perf_counter()
            size, asked = await legs[name].run(job)
            taken[name] = (time.perf_counter() - begin) * 1e3, size, asked
        if min(size for _, size, _ in taken.values()) < LEAST_BYTES:
            continue
        for name, (ms, size, asked) in taken.items():
            legs[name].ms_a_byte.append(ms / size)
            legs[name].rows_a_byte.append([rows / size for rows in asked])
        done = len(legs[order[0]].ms_a_byte)
        if done % 10 == 0:
            say(f"{done} of {rounds} cursors")
        if done == rounds:
            return
    raise CaretError("the models end at once nearly everywhere; nothing to time")


async def _by_tokens(member: Member, job: Job, tokens: int = TOKENS) -> tuple[int, list[int]]:
    checkpoint = member.checkpoint
    wanted = Sampling(max_tokens=tokens, stop_token_ids=checkpoint.stop_ids)
    size = 0
    steps = member.engine.generate(member.begin(job).prompt, wanted, RequestStats())
    async with aclosing(steps):
        async for step in steps:
            size += len(checkpoint.vocabulary.bytes_of(step.token_ids))
            size += step.finished == "stop"
    return size, []


async def _by_bytes(members: Sequence[Member], job: Job) -> tuple[int, list[int]]:
    models = [member.begin(job).model for member in members]
    decoded = await byte_greedy(models, limit=MOST_BYTES)
    return len(decoded.log_probs), [model.rows_asked for model in models]


def _mean(leg: _Leg, number: int) -> float:
    return statistics.mean(rows[number] for rows in leg.rows_a_byte)


def _jobs(count: int) -> Iterator[Job]:
    """Yield ``count`` cursors, always the same ones."""
    texts = [path.read_bytes() for path in sorted(_FOLDER.glob("*.py"))]
    rng = random.Random(0)
    for _ in range(count):
        text = rng.choice(texts)
        at = rng.randrange(len(text))
        request = pb.CompleteRequest(
            document=pb.Document(
                path="a.py",
                prefix=text[max(0, at - _CONTEXT) : at],
                suffix=text[at : at + _CONTEXT // 2],
            ),
            options=pb.GenerationOptions(max_tokens=TOKENS, healing=pb.HEALING_OFF),
        )
        yield job_from(request, Config().generation)
