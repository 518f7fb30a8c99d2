"""How far from the exact law of the next byte the usual ways are, at random places of real files.

Each cut is asked of a server in three ways: exactly, with the typed text left as it is, and with the
unfinished word under a mask. The distance is the total variation between the 257 outcomes (256 bytes
and the end). A completion of one token says what the server sums over where it only draws.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from eval.build.tree import Tree
from eval.metrics.summary import Score

BEFORE, BEHIND = 600, 300
"""Bytes of a file that are sent around a cut."""
AT_ONCE = 8
"""Cuts that are asked about at the same time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """A cursor at a random byte of a file."""

    path: str
    prefix: bytes
    suffix: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What the server answered at one cut."""

    naive: float
    """Total variation between the law of the text as typed and the exact one, 0 to 1."""
    one_token: float
    """The same of the masked word."""
    healed: int
    """Bytes that were covered; 0: the cursor was at a boundary."""
    contexts: int
    """Contexts that the law was summed over."""
    drawn_contexts: int
    """Contexts that one completion was drawn from."""
    omitted: float
    """Bound of the share of probability that is not in the law."""
    drawn_omitted: float
    """The same of what the completion was drawn from."""


def draw_cuts(tree: Tree, count: int, seed: int) -> list[Cut]:
    """Return ``count`` cursors, each byte of the tree as likely as any other."""
    rng = random.Random(seed)
    files = [file for file in tree.files if file.text]
    sizes = [len(file.text) for file in files]
    cuts: list[Cut] = []
    for file in rng.choices(files, sizes, k=count):
        at = rng.randrange(len(file.text) + 1)
        prefix, suffix = file.text[max(0, at - BEFORE) : at], file.text[at : at + BEHIND]
        cuts.append(Cut(path=file.path, prefix=prefix, suffix=suffix))
    return cuts


async def measure(
    stub: rpc.CompletionServiceAsyncStub, cuts: Sequence[Cut], done: Callable[[], None]
) -> list[Measured]:
    """Ask about every cut; ``done`` is called after each."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(cut: Cut) -> Measured:
        async with room:
            measured = await _measure(stub, cut)
        done()
        return measured

    return await asyncio.gather(*(one(cut) for cut in cuts))


async def _measure(stub: rpc.CompletionServiceAsyncStub, cut: Cut) -> Measured:
    document = pb.Document(path=cut.path, prefix=cut.prefix, suffix=cut.suffix)
    exact, naive, one_token = [
        await stub.NextBytes(pb.NextBytesRequest(document=document, healing=healing))
        for healing in (pb.HEALING_EXACT, pb.HEALING_OFF, pb.HEALING_ONE_TOKEN)
    ]
    options = pb.GenerationOptions(max_tokens=1, healing=pb.HEALING_EXACT)
    usage = (await stub.Complete(pb.CompleteRequest(document=document, options=options))).usage
    return Measured(
        naive=total_variation(exact, naive),
        one_token=total_variation(exact, one_token),
        healed=usage.healed_bytes,
        contexts=exact.cover_contexts,
        drawn_contexts=usage.cover_contexts,
        omitted=exact.omitted_mass_bound,
        drawn_omitted=usage.omitted_mass_bound,
    )


def total_variation(one: pb.NextBytesResponse, other: pb.NextBytesResponse) -> float:
    """Return half the sum of the differences of 257 probabilities."""
    laws = [
        np.exp(np.array([*law.log_probs, law.end_log_prob], np.float64)) for law in (one, other)
    ]
    return float(np.abs(laws[0] - laws[1]).sum() / 2)


def scores(measured: Sequence[Measured]) -> dict[str, dict[str, Score]]:
    """Return the scores of each cut that :func:`eval.metrics.summary.summarise` takes."""
    table: dict[str, dict[str, Score]] = {}
    for number, one in enumerate(measured):
        row: dict[str, Score] = {"healed_share": float(one.healed > 0)}
        if one.healed:
            row |= {
                "tv_naive": one.naive,
                "tv_naive_above_0.1": float(one.naive > 0.1),
                "tv_one_token": one.one_token,
                "tv_one_token_above_0.1": float(one.one_token > 0.1),
                "healed_bytes": float(one.healed),
                "contexts_law": float(one.contexts),
                "contexts_drawn": float(one.drawn_contexts),
            }
        else:
            row["tv_naive_at_boundary"] = one.naive
        table[f"cut{number}"] = row
    return table


def certificates(measured: Sequence[Measured]) -> dict[str, float]:
    """Return the 99th percentiles of the bounds, over the cuts that were healed."""
    healed = [one for one in measured if one.healed]
    if not healed:
        return {}
    return {
        "omitted_law_p99": float(np.quantile([one.omitted for one in healed], 0.99)),
        "omitted_drawn_p50": float(np.quantile([one.drawn_omitted for one in healed], 0.5)),
        "omitted_drawn_p99": float(np.quantile([one.drawn_omitted for one in healed], 0.99)),
    }
