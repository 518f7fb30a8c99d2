"""What exact healing costs before the first token, over the same cursors asked without healing.

One server answers all: each cursor in turn exactly and as typed, so that a ratio is of one run and
one state of the cache: that of the keystroke before, which was asked for without healing. Cursors are
random places of real files, inside a token or at the end of one. While a word goes on, the keystroke
before was healed too, and what it knew of the model is still there: the last row.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from completion.engine.checkpoint import load_checkpoint
from completion.healing.cover import Covers
from completion.healing.sorted_vocabulary import SortedVocabulary
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.own_server import OwnServer
from eval.bench.latency import Row

_FOLDER = Path(__file__).parents[2] / "completion" / "server"
_CONTEXT = 1500
"""Bytes before the cursor, and half as many behind it."""
TOKENS = 4
NEXT_KEY = "first token, exact over off, the next key of the same word, 1 at a time"
AT_BOUNDARY = 1.05
"""The bar is 1.0: nothing is done there. Two runs of the same requests differ by some percent."""


async def rows(model: str, words: list[str], rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Return the ratios of time to the first token: alone and sixteen at a time, inside a token
    and at the end of one."""
    cuts = _cuts(model, rounds)
    async with OwnServer(extra_args=[*words, "--arm", "exact_spm"]) as server:
        channel = server.channel()
        try:
            stub = rpc.CompletionServiceStub(channel)
            found: list[Row] = []
            for name, places, alone, many in (
                ("inside a token", cuts[True], 1.25, 1.5),
                ("at the end of one", cuts[False], AT_BOUNDARY, AT_BOUNDARY),
            ):
                for together, bar in ((1, alone), (16, many)):
                    ratio, contexts = await _ratio(stub, places, together, pb.HEALING_OFF, say)
                    what = f"first token, exact over off, {name}, {together} at a time"
                    found.append(Row(what, ratio, bar, len(places)))
                    say(f"{what}: {ratio:.3f}, {contexts:.2f} contexts a cursor")
            ratio, _ = await _ratio(stub, cuts[True], 1, pb.HEALING_EXACT, say)
            found.append(Row(NEXT_KEY, ratio, 1.25, len(cuts[True])))
            return found
        finally:
            await channel.close()


async def _ratio(
    stub: rpc.CompletionServiceAsyncStub,
    places: Sequence[tuple[bytes, bytes]],
    together: int,
    before: pb.Healing.ValueType,
    say: Callable[[str], None],
) -> tuple[float, float]:
    """Return the ratio of medians, and the mean number of contexts."""
    times: dict[pb.Healing.ValueType, list[float]] = {pb.HEALING_EXACT: [], pb.HEALING_OFF: []}
    whole: dict[pb.Healing.ValueType, list[float]] = {pb.HEALING_EXACT: [], pb.HEALING_OFF: []}
    contexts: list[int] = []
    for start in range(0, len(places), together):
        batch = places[start : start + together]
        order = list(times) if start // together % 2 else list(times)[::-1]
        for healing in order:
            earlier = before if healing == pb.HEALING_EXACT else healing
            await _all(stub, [(prefix[:-1], suffix) for prefix, suffix in batch], earlier)
            answers = await _all(stub, batch, healing)
            times[healing] += [answer.timings.first_token for answer in answers]
            whole[healing] += [answer.timings.total for answer in answers]
            if healing == pb.HEALING_EXACT:
                contexts += [answer.usage.cover_contexts for answer in answers]
    for what, found in (("first token", times), (f"all {TOKENS} tokens", whole)):
        both = [(pb.Healing.Name(h).removeprefix("HEALING_").lower(), t) for h, t in found.items()]
        shown = [f"{n} {statistics.median(t):.1f} (mean {statistics.mean(t):.1f})" for n, t in both]
        say(f"{what}, ms: {', '.join(shown)}")
    medians = {healing: statistics.median(found) for healing, found in times.items()}
    return medians[pb.HEALING_EXACT] / medians[pb.HEALING_OFF], statistics.mean(contexts)


async def _all(
    stub: rpc.CompletionServiceAsyncStub,
    batch: Sequence[tuple[bytes, bytes]],
    healing: pb.Healing.ValueType,
) -> list[pb.CompleteResponse]:
    return await asyncio.gather(*(stub.Complete(_request(place, healing)) for place in batch))


def _request(place: tuple[bytes, bytes], healing: pb.Healing.ValueType) -> pb.CompleteRequest:
    return pb.CompleteRequest(
        document=pb.Document(path="a.py", prefix=place[0], suffix=place[1]),
        options=pb.GenerationOptions(
            max_tokens=TOKENS, healing=healing, lines=pb.GenerationOptions.LINES_SINGLE
        ),
    )


def _cuts(model: str, rounds: int) -> dict[bool, list[tuple[bytes, bytes]]]:
    """Return ``rounds`` cursors that need a cover and as many that need none."""
    checkpoint = load_checkpoint(model)
    table = checkpoint.vocabulary.token_bytes
    covers = Covers(SortedVocabulary(table), table, checkpoint.encoder.encode)
    texts = [path.read_bytes() for path in sorted(_FOLDER.glob("*.py"))]
    rng = random.Random(0)
    found: dict[bool, list[tuple[bytes, bytes]]] = {True: [], False: []}
    while min(map(len, found.values())) < rounds:
        text = rng.choice(texts)
        at = rng.randrange(len(text))
        prefix, suffix = text[max(0, at - _CONTEXT) : at], text[at : at + _CONTEXT // 2]
        inside = covers.back_off(prefix) > 0
        if len(found[inside]) < rounds:
            found[inside].append((prefix, suffix))
    return found
