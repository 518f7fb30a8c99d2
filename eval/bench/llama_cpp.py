"""Caret beside llama.cpp on the same weights, the same prompt tokens, greedy, as many tokens.

llama.cpp is measured in each of its settings (:data:`SETTINGS`) and what counts is the best of them, at
each percentile anew. Ours is measured twice: the engine as ``caret serve`` builds it, and the service
over gRPC. The service heals and stops where syntax says, the engine where the model does; each is set
beside what llama.cpp took for as many tokens of the same prompt. All sides are processes that live through
the whole run and are asked in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from completion.config import ModelConfig
from completion.engine.checkpoint import Checkpoint, load_checkpoint
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.own_server import OwnServer
from eval.bench.child import Answer, Child
from eval.bench.gguf_weights import write_gguf
from eval.bench.latency import Row
from eval.bench.places import TYPED, Place, Places
from eval.bench.times import Work, draw

SETTINGS = [(kind, threads) for kind in ("bf16", "q8_0") for threads in (1, 2)]
"""Of llama.cpp: how the weights are kept, and threads."""
TOKENS = 32
"""Of each answer."""
TOGETHER = (4, 16)
COLD = (512, 900)
"""Tokens of a prompt for the model that comes with Caret."""
COLD_LARGE = (512, 1024, 2048)
"""For a model with room for them."""
KEYS = 60
"""Of the typing session."""
ENGINE, SERVICE = "Caret's engine", "caret serve"
_IN_TURN = ", in turn"
AHEAD = 1.0
CACHED = 1.5
"""The first bar of a single stream whose prompt is cached; being ahead is the next."""


async def rows(
    model: ModelConfig, words: list[str], rounds: int, plot: Path | None, say: Callable[[str], None]
) -> list[Row]:
    """Return the ratios; ``words`` are the model's flags for a service, ``plot`` a picture to draw.

    Raises:
        UsageError: the model is no plain Llama.
        CaretError: llama.cpp or the engine could not be had.
    """
    checkpoint = load_checkpoint(model.path)
    places = Places(checkpoint, TOKENS, random.Random(0))
    texts = enumerate(checkpoint.vocabulary.token_bytes)
    newlines = frozenset(token for token, text in texts if b"\n" in text)
    found: list[Row] = []
    works: list[Work] = []
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="caret-bench-")))
        for kind, _ in SETTINGS:
            if not (folder / f"{kind}.gguf").exists():
                write_gguf(checkpoint, folder / f"{kind}.gguf", kind)
        engine = await stack.enter_async_context(Child("eval.bench.child_engine", *words))
        server = await stack.enter_async_context(OwnServer(extra_args=words))
        channel = server.channel()
        stack.push_async_callback(channel.close)
        service = rpc.CompletionServiceStub(channel)
        alone = await _llamas(stack, folder, checkpoint, 1)
        sides = Sides(engine, service, alone, newlines)
        say("single cold requests")
        room = checkpoint.context_tokens - TOKENS
        sizes = COLD_LARGE if room >= COLD_LARGE[-1] else COLD
        agreed: list[int] = []
        for size in sizes:
            works += await sides.cold(places, min(size, room), max(5, rounds), agreed)
        say(f"typing {KEYS} keys into {TYPED.name}")
        works += await sides.typing(places.typing(KEYS), agreed)
        for child in alone.values():
            await child.stop()
        for together in TOGETHER:
            say(f"{together} clients at once")
            llamas = await _llamas(stack, folder, checkpoint, together)
            many = Sides(engine, service, llamas, newlines)
            works += await many.load(places, min(512, room), together, max(5, rounds // 3))
            for child in llamas.values():
                await child.stop()
    for work in works:
        say(work.shown())
        found += work.rows()
    same = sum(length == TOKENS for length in agreed)
    say(
        f"the same greedy text of {TOKENS} tokens as llama.cpp in bf16: {same} of {len(agreed)} prompts, "
        f"the same first {statistics.median(agreed):g} tokens in the median"
    )
    found.append(Row("share of greedy texts that differ", 1 - same / len(agreed), 0.5, len(agreed)))
    if plot is not None:
        draw(works, plot, f"{checkpoint.name}, {os.cpu_count()} cores: p50, whiskers to p95")
    return found


async def _llamas(
    stack: contextlib.AsyncExitStack, folder: Path, checkpoint: Checkpoint, sequences: int
) -> dict[str, Child]:
    found: dict[str, Child] = {}
    for kind, threads in SETTINGS:
        child = Child(
            "eval.bench.child_llama", str(folder / f"{kind}.gguf"), "--threads", str(threads),
            "--sequences", str(sequences), "--context", str(checkpoint.context_tokens),
        )  # fmt: skip
        found[f"llama.cpp {kind} {threads} thread{'s'[: threads - 1]}"] = child
        await stack.enter_async_context(child)
    return found


class Sides:
    """All that is measured: our engine, our service, and llama.cpp in each setting."""

    def __init__(
        self,
        engine: Child,
        service: rpc.CompletionServiceAsyncStub,
        llamas: dict[str, Child],
        newlines: frozenset[int],
    ) -> None:
        self._newlines = newlines
        self._engine = engine
        self._service = service
        self._llamas = llamas

    async def cold(self, places: Places, tokens: int, rounds: int, agreed: list[int]) -> list[Work]:
        """Ask once at places that nobody has seen, one at a time."""
        first, whole = _works(f"cold, {tokens} tokens", AHEAD)
        for number in range(rounds + 1):
            answers = await self._each([places.of(tokens)], fresh=True, turn=number)
            if number:  # the first warms up
                self._take(answers, first, whole)
                agreed.append(_same(answers))
        return [first, whole]

    async def typing(self, keys: Sequence[Place], agreed: list[int]) -> list[Work]:
        """Ask at each key, what came before it cached."""
        first, whole = _works("typing, cached", CACHED)
        for number, place in enumerate(keys):
            answers = await self._each([place], fresh=False, turn=number)
            if number:  # the first is no key: nothing is cached
                self._take(answers, first, whole)
                agreed.append(_same(answers))
        return [first, whole]

    async def load(self, places: Places, tokens: int, together: int, rounds: int) -> list[Work]:
        """Ask at so many new places at once."""
        first, whole = _works(f"{together} at once, {tokens} tokens", AHEAD)
        for number in range(rounds + 1):
            asked = [places.of(tokens) for _ in range(together)]
            answers = await self._each(asked, fresh=True, turn=number)
            for name, child in self._llamas.items():
                answers[name + _IN_TURN] = await self._one_after_another(child, asked)
            if number:
                self._take(answers, first, whole)
        return [first, whole]

    async def _one_after_another(self, child: Child, places: Sequence[Place]) -> list[Timed]:
        """Ask for each when the one before it is done, without batches; times are from its own start."""
        found: list[Timed] = []
        for place in places:
            (answer,) = await child.run([place.prompt], TOKENS, fresh=True)
            found.append(Timed.of(answer, self._newlines))
        return found

    async def _each(
        self, places: Sequence[Place], *, fresh: bool, turn: int
    ) -> dict[str, list[Timed]]:
        """Ask every side, another one first each time."""
        prompts = [place.prompt for place in places]
        found: dict[str, list[Timed]] = {}
        names = [ENGINE, SERVICE, *self._llamas]
        turn %= len(names)
        for name in names[turn:] + names[:turn]:
            if name == SERVICE:
                asking = (_asked(self._service, place) for place in places)
                found[name] = await asyncio.gather(*asking)
            else:
                child = self._engine if name == ENGINE else self._llamas[name]
                answers = await child.run(prompts, TOKENS, fresh=fresh)
                found[name] = [Timed.of(answer, self._newlines) for answer in answers]
        return {name: found[name] for name in names}

    def _take(self, answers: dict[str, list[Timed]], first: Work, whole: Work) -> None:
        """Take the times in; ours beside what the others took for as many tokens.

        Ours may end before all are there: at the model's own end, or where syntax says.
        """
        for name, each in answers.items():
            waited = dict.fromkeys((name, ENGINE, SERVICE), 0.0)
            for at, one in enumerate(each):
                if one.count:  # else nothing was suggested there
                    first.add(name, waited[name] + one.first_line_ms)
                    whole.add(name, waited[name] + one.whole_ms)
                if name in (ENGINE, SERVICE):
                    continue
                counts = {side: answers[side][at].count for side in (ENGINE, SERVICE)}
                for side, count in counts.items():
                    if count:
                        line = one.until(min(one.first_line, count))
                        first.add_beside(side, name, waited[side] + line)
                        whole.add_beside(side, name, waited[side] + one.until(count))
                if name.endswith(_IN_TURN):  # the next begins when this one is done
                    waited[name] += one.whole_ms
                    for side, count in counts.items():
                        waited[side] += one.until(max(1, count))


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer: its tokens where they are known, and when they were there."""

    token_ids: tuple[int, ...]
    first_line_ms: float
    whole_ms: float
    count: int
    at_ms: tuple[float, ...] = ()
    """When each token was there; empty: unknown."""
    first_line: int = 0
    """How many tokens until the first line was there."""

    @classmethod
    def of(cls, answer: Answer, newlines: frozenset[int]) -> Timed:
        """Return an answer of a side that says when each token came."""
        count = len(answer.token_ids)
        ends = (at + 1 for at, token in enumerate(answer.token_ids) if token in newlines)
        first = next(ends, count)
        return cls(
            token_ids=answer.token_ids, first_line_ms=answer.at_ms[first - 1],
            whole_ms=answer.at_ms[-1], count=count, at_ms=answer.at_ms, first_line=first,
        )  # fmt: skip

    def until(self, tokens: int) -> float:
        """Return when so many tokens were there, or all of them."""
        return self.at_ms[min(tokens, self.count) - 1]


def _works(name: str, bar: float) -> tuple[Work, Work]:
    bars = {ENGINE: bar, SERVICE: bar}
    return (
        Work(name=f"{name}, first line", bars=bars),
        Work(name=f"{name}, {TOKENS} tokens", bars=bars),
    )


def _same(answers: dict[str, list[Timed]]) -> int:
    """Return how many first tokens of our engine's are those of llama.cpp in bf16; all: TOKENS."""
    ours = answers[ENGINE][0].token_ids
    theirs = next(each[0].token_ids for name, each in answers.items() if "bf16" in name)
    pairs = enumerate(zip(ours, theirs, strict=False))  # ours ends where the model does
    return next((at for at, (one, other) in pairs if one != other), TOKENS)


async def _asked(service: rpc.CompletionServiceAsyncStub, place: Place) -> Timed:
    """Ask the service, as a client sees it."""
    request = pb.CompleteRequest(
        document=pb.Document(
            path=place.path, language_id="python", prefix=place.prefix, suffix=place.suffix
        ),
        options=pb.GenerationOptions(max_tokens=TOKENS, lines=pb.GenerationOptions.LINES_MULTI),
    )
    begun = time.perf_counter()
    answer = await service.Complete(request)
    whole = (time.perf_counter() - begun) * 1e3
    around = whole - answer.timings.total
    return Timed((), answer.timings.first_line + around, whole, answer.usage.generated_tokens)
