"""Masked identifiers: some names of a window, each behind one sentinel wherever it stands.

CodeT5 (arXiv 2109.00859, section 3.2) puts one sentinel in the place of all occurrences of a name,
and its decoder lists sentinels and names. One decoder reads both from left to right:

    text with <id_0> … <id_1> … <id_0> <|fim_middle|> <id_0> name <id_1> name <|endoftext|>

``<|fim_middle|>`` says as ever that what is missing comes now. A prompt to fill in a middle begins
with ``<|fim_prefix|>`` and this has none, so the two cannot be taken for one another.

A sentinel is one id where the tokenizer has ``<id_0>`` among its own, and else its letters in
ordinary tokens: Caret's tokenizers have none, a new token would change the vocabulary of everything
that was trained, and an engine that serves the model would have to be told never to say it.
Sentinels and the text between them are encoded apart, so that a sentinel is always the same ids.

Loss is on the names and on what ends each, the beginning of the next sentinel or the end. It is not
on the text: that is what CodeT5's encoder reads, and a decoder that learned to write it would put
sentinels into people's code. Nor on the rest of the sentinels in the list, which only count.
"""

from __future__ import annotations

import bisect
import builtins
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from training.objectives.fim import Encode, Stretch
from training.objectives.identifier import SHORTEST
from training.objectives.names import Names
from training.objectives.places import Span
from training.tokenizer import Sentinels

MOST = 8
"""Names that one example masks; how many it does is drawn."""
_CONVENTIONS = frozenset(("self", "cls"))
"""Names that everybody gives and nobody chooses."""
_WORD = re.compile(r"\w+")
_MARK = "<id_"


@dataclass(frozen=True, slots=True)
class MaskedText:
    """One example: its ids, the last of which is the end."""

    ids: list[int]
    trained: list[bool]
    """Whether each id carries loss as a target."""
    stretches: tuple[Stretch, ...]
    """The text between the sentinels; anchors are characters of the document."""


def spellings(tokenizer: Tokenizer) -> list[list[int]]:
    """Return the ids of every sentinel, for an encoder of text that never gives a special token."""
    out: list[list[int]] = []
    for number in range(MOST):
        name = f"{_MARK}{number}>"
        own = tokenizer.token_to_id(name)
        out.append(tokenizer.encode(name).ids if own is None else [own])
    return out


def maskable(text: str, window: Span, names: Names) -> dict[str, list[Span]]:
    """Return the names that a window can be asked for, with all their places in it, in order.

    A name qualifies where the window binds it (a definition, a parameter, an assignment, an import
    of a name), neither Python nor a convention gave it, and none of its places would tell it: as a
    word it must not stand in a string or a comment, nor cross an edge of the window.
    """
    start, end = window
    if _MARK in text[start:end]:
        return {}
    first = bisect.bisect_left(names.found, start, key=lambda n: n.start)
    last = bisect.bisect_left(names.found, end, key=lambda n: n.start)
    found: dict[str, list[Span]] = {}
    bound: set[str] = set()
    for name in names.found[first:last]:
        if name.end <= end:
            found.setdefault(name.text, []).append((name.start, name.end))
        if name.binds:
            bound.add(name.text)
    words: dict[str, int] = dict.fromkeys(found, 0)
    for match in _WORD.finditer(text, start, end):
        if match.group() in words:
            words[match.group()] += 1
    return {
        name: places
        for name, places in found.items()
        if name in bound and words[name] == len(places) and _chosen_by_hand(name)
    }


def _chosen_by_hand(name: str) -> bool:
    dunder = name.startswith("__") and name.endswith("__")
    known = hasattr(builtins, name) or name in _CONVENTIONS
    return len(name) >= SHORTEST and not dunder and not known


def choose(found: dict[str, list[Span]], rng: random.Random) -> dict[str, list[Span]]:
    """Return one to :data:`MOST` of the names, in the order in which they first stand."""
    names = rng.sample(sorted(found), rng.randint(1, min(MOST, len(found))))
    return {name: found[name] for name in sorted(names, key=lambda n: found[n][0])}


def lay_masked(
    text: str,
    window: Span,
    chosen: dict[str, list[Span]],
    encode: Encode,
    spelled: Sequence[list[int]],
    ids: Sentinels,
    *,
    limit: int,
) -> MaskedText | None:
    """Return the example, or ``None`` where it does not fit ``limit`` tokens.

    The first name of ``chosen`` becomes ``spelled[0]``, and so on.
    """
    out: list[int] = []
    stretches: list[Stretch] = []
    places = sorted(
        (place, number) for number, found in enumerate(chosen.values()) for place in found
    )
    at = window[0]
    for (a, b), number in [*places, ((window[1], window[1]), -1)]:
        piece = encode(text[at:a])
        stretches.append(Stretch(len(out), len(out) + len(piece), at, False))
        out += piece
        if number >= 0:
            out += spelled[number]
        at = b
    out.append(ids.fim_middle)
    trained = [False] * len(out)
    for number, name in enumerate(chosen):
        mark, said = spelled[number], encode(name)
        out += [*mark, *said]
        trained += [number > 0] + [False] * (len(mark) - 1) + [True] * len(said)
    if len(out) >= limit:
        return None
    return MaskedText([*out, ids.end], [*trained, True], tuple(stretches))
