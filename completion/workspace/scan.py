"""Places where a suffix was seen, and what followed there."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from completion.workspace import bits as bit_set
from completion.workspace.bits import Bits
from completion.workspace.log import Text

MOST_INSPECTED = 128
"""Places of one suffix that are looked at; of more, so many at even distances: in the order of their
contexts where that is known, else of the text, so that none of them is over-represented."""
FEW = 12
"""Places up to which a loop is quicker than arrays."""
_SHORT = 1 << 13
"""Tokens up to which a search for bytes is quicker than comparing them all."""
_ZERO = np.zeros(1, np.int64)

Counts = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Ids, ascending, and how often each, (n,) and (n,)."""


@dataclass(slots=True, eq=False)  # not frozen: twice as quick to make, and a look-up makes several
class Seen:
    """Where the longest suffix of a context was seen."""

    length: int
    """Tokens of the suffix."""
    entries: list[int] | NDArray[np.integer]
    """Positions in the log of what followed; some of them where they were many."""
    counts: dict[int, float] | Counts
    """What followed how often; an estimate where places were many."""


def count(text: Text, length: int, entries: NDArray[np.integer], scale: float) -> Seen:
    """Return what is at ``entries``, each of which stands for ``scale`` places."""
    tokens = text.at(entries).astype(np.int64)
    tokens.sort()
    bounds = np.flatnonzero(tokens[1:] != tokens[:-1])
    bounds += 1
    bounds = np.concatenate((_ZERO, bounds, (len(tokens),)))
    return Seen(length, entries, (tokens.take(bounds[:-1]), (bounds[1:] - bounds[:-1]) * scale))


def count_few(text: Text, length: int, entries: list[int]) -> Seen:
    """Return what is at ``entries``."""
    cells = text.cells
    counts: dict[int, float] = {}
    for entry in entries:
        token = cells[~entry]
        counts[token] = counts.get(token, 0.0) + 1.0
    return Seen(length, entries, counts)


def total(parts: list[tuple[Seen, float]]) -> tuple[dict[int, float], Counts | None]:
    """Return the sum of what was seen in several places, each times its weight; at least one.

    Counts where any of it was seen in many places, else the dictionary alone.
    """
    sums: dict[int, float] = {}
    many: list[Counts] = []
    for seen, weight in parts:
        if isinstance(seen.counts, dict):
            for token, times in seen.counts.items():
                sums[token] = sums.get(token, 0.0) + times * weight
        else:
            many.append((seen.counts[0], seen.counts[1] * weight))
    if not many:
        return sums, None
    if sums:
        few = sorted(sums)
        many.append((np.array(few), np.array([sums[token] for token in few])))
    if len(many) == 1:
        return {}, many[0]
    ids = np.concatenate([ids for ids, _ in many])
    weights = np.concatenate([weights for _, weights in many])
    order = ids.argsort(kind="stable")
    ids = ids.take(order)
    first = np.concatenate((_ZERO, np.flatnonzero(ids[1:] != ids[:-1]) + 1))
    return {}, (ids.take(first), np.add.reduceat(weights.take(order), first))


def scan(
    text: Text,
    start: int,
    stop: int,
    context: Sequence[int],
    key: bytes,
    least: int,
    *,
    live: Bits | None = None,
    ends: Container[int] = (),
) -> Seen | None:
    """Look through all positions of a half-open range for the longest suffix of ``context``.

    ``context``: nearest token first, ``key`` the same as bytes. ``least``: shorter suffixes are not
    wanted. ``live``: the positions that count; without, all but barriers do, and ``ends`` are
    the tokens that one may stand behind.
    """
    if least > 1 and stop - start <= _SHORT:
        some = _search(text, start, stop, key[: least * text.width])
        if some is not None:
            if live is not None:
                some = [entry for entry in some if live[entry >> 3] >> (entry & 7) & 1]
            elif context[0] in ends:
                some = [entry for entry in some if text.cells[~entry] != text.barrier]
            return _longest(text, some, key, least) if some else None
    found = (stop - 1) - np.flatnonzero(text.tokens[1 - stop : -start] == context[0])
    if live is not None:
        found = found[bit_set.among(live, found)]
    elif context[0] in ends:
        found = found[text.at(found) != text.barrier]
    length = 1
    while len(found) > FEW and length < len(context):
        longer = found[text.before(found, length + 1) == context[length]]
        if not len(longer):
            break
        found = longer
        length += 1
    if len(found) <= FEW:
        return _longest(text, found.tolist(), key, least)
    if length < least:
        return None
    some = found[:: -(-len(found) // MOST_INSPECTED)]
    return count(text, length, some, len(found) / len(some))


def _search(text: Text, start: int, stop: int, part: bytes) -> list[int] | None:
    """Return the positions behind ``part``; ``None`` where they are more than a few."""
    raw, width, size = text.raw, text.width, len(text.raw)
    end = size - (start + 1) * width + len(part)
    found: list[int] = []
    at = raw.find(part, size - (stop - 1) * width, end)
    for _ in range(2 * FEW):
        if at < 0:
            return found
        position, within = divmod(size - at, width)
        if not within:
            found.append(position)
        at = raw.find(part, at + 1, end)
    return None


def _longest(text: Text, entries: list[int], key: bytes, least: int) -> Seen | None:
    """Return what is at those of ``entries`` that have the most in common with ``key``."""
    best: list[int] = []
    for entry in entries:
        common = text.common(entry, key)
        if common > least or (common == least and not best):
            best, least = [entry], common
        elif common == least:
            best.append(entry)
    return count_few(text, least, best) if best else None
