"""Byte-level decoding of one model or of several: the law of the next byte, and the likeliest text.

A :class:`ByteModel` is a model behind one prompt, seen as a law over bytes: any
:class:`~completion.engine.base.Engine` gives the rows, so any served model can be decoded so. Models
with different tokenizers speak of the same bytes, and may therefore be averaged (Phan et al., arXiv
2410.09303): :func:`average` is the arithmetic mean of their probabilities with fixed
weights, each given the same bytes so far. It is a law over bytes and the end again. The end of the
text is an outcome like a byte: each model gives it what its own ids without text have together
(different ids, in different vocabularies, that say the same), and the mean ends where the mean says
so; when a byte is taken instead, every model is asked from then on given that it did not end there.

It knows rows as a function of ids, no prompt layouts, stop rules or documents.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from completion.together import together

if TYPE_CHECKING:  # torch is imported when there is a law to be summed
    from torch import Tensor

    from completion.engine.base import Engine
    from completion.healing.byte_law import Way
    from completion.healing.cover import Ids
    from completion.healing.memory import Rows
    from completion.healing.sorted_vocabulary import SortedVocabulary

BATCH = 16
"""Rows asked for at once, as in :mod:`completion.healing.search`."""
LOOSE = 0.1
"""What may be left out at first, where only the likeliest byte is wanted: mostly it is certain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Care:
    """How closely a model is followed; shares of its probability, see :class:`ByteLaw`."""

    tolerance: float = 1e-3
    """What may be left out of a law."""
    surprise: float = 0.01
    """The least probability that a byte is taken to have where it is not looked at."""
    settled: float = 3e-2
    """What may disagree with a token for the trunk to move over it."""
    longest: int = 24
    """Bytes behind the trunk from which on it moves whatever that gives up."""
    budget: int = 32
    """Most rows for one law, if that gives one; what is missing is in :attr:`ByteModel.omitted`."""


class ByteModel:
    """One model behind one prompt, asked a byte at a time.

    ``rows`` gives the model's log-probabilities behind the prompt and each of some token sequences.
    ``room``: most tokens that may stand behind the prompt; ways beyond it are left out, and said.
    """

    def __init__(
        self,
        vocabulary: SortedVocabulary,
        rows: Rows,
        *,
        care: Care | None = None,
        room: int | None = None,
    ) -> None:
        from completion.healing.byte_law import ByteLaw

        self._care = care or Care()
        self._law = ByteLaw(vocabulary, surprise=self._care.surprise)
        self._rows = rows
        self._room = math.inf if room is None else room
        self._omitted = 1.0
        self.rows_asked = 0
        """Rows of the model so far: what it costs."""
        self.rounds = 0
        """Batches that they came in, one after the other."""

    @classmethod
    def behind(
        cls,
        engine: Engine,
        vocabulary: SortedVocabulary,
        prompt: list[int],
        care: Care | None = None,
    ) -> ByteModel:
        """Return the model that ``engine`` runs, behind ``prompt``."""

        async def rows(contexts: Sequence[Ids]) -> list[Tensor]:
            return await engine.next_laws([[*prompt, *ids] for ids in contexts])

        room = engine.info.context_tokens - len(prompt) - 1  # a law takes one token, thrown away
        return cls(vocabulary, rows, care=care, room=room)

    def push(self, byte: int) -> None:
        """Let the text go on with ``byte``; no law need have been asked for, as for typed text."""
        self._law.push(byte)
        self._law.settle(self._care.settled, self._care.longest)

    async def next_bytes(self, tolerance: float | None = None) -> Tensor:
        """Return log P(b | the text so far) for 256 bytes and the end, (257,), float64.

        ``tolerance`` for the model's own: what may be left out. NaN everywhere: the model cannot
        spell the text, or not within its room.
        """
        law, left = self._law, self._care.budget
        tolerance = self._care.tolerance if tolerance is None else tolerance
        while wanted := law.heaviest(tolerance=tolerance, most=min(BATCH, left)):
            if not await self._expand(wanted):
                break
            left -= len(wanted)
        while law.lost and await self._expand(law.farthest()):
            pass
        self._omitted = law.omitted
        return law.next_bytes()

    async def _expand(self, wanted: Sequence[Way]) -> bool:
        """Ask for the rows of those of ``wanted`` that there is room for; return if there were any."""
        law, room = self._law, self._room - len(self._law.trunk)
        ways = [way.ids for way in wanted if len(way.ids) <= room]
        if not ways:
            return False
        rows = await self._rows([(*law.trunk, *ids) for ids in ways])
        for ids, row in zip(ways, rows, strict=True):
            law.expand(ids, row)
        self.rows_asked += len(ways)
        self.rounds += 1
        return True

    @property
    def tolerance(self) -> float:
        """What may be left out of a law when nothing else is said."""
        return self._care.tolerance

    @property
    def omitted(self) -> float:
        """The share of probability that is not in the law as last asked for: see :class:`ByteLaw`."""
        return self._omitted

    @property
    def given_up(self) -> float:
        """The shares of probability that the trunk has left behind, added up: see :class:`ByteLaw`."""
        return self._law.given_up

    @property
    def trunk(self) -> Ids:
        """The tokens behind the prompt that are settled."""
        return self._law.trunk

    @property
    def tokens(self) -> int:
        """How many tokens the text has so far, in its likeliest spelling."""
        return len(self._law.trunk) + len(self._law.likeliest)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """What :func:`byte_greedy` gave."""

    text: bytes
    ended: str
    """``end`` (the end of the text was likeliest), ``stop``, ``limit``, or ``lost``: no model can
    go on within its room."""
    log_probs: list[float] = field(default_factory=list[float])
    """Of each byte and, behind them, of the end where it came; natural logarithms, of the mean, as
    well as it was known when the byte was certain."""
    doubtful: int = 0
    """How many of these choices what was left out of the laws could have changed."""


async def byte_greedy(
    models: Sequence[ByteModel],
    *,
    weights: Sequence[float] = (),
    limit: int,
    stop: Callable[[bytes], bool] = lambda new: False,
) -> Decoded:
    """Take the likeliest byte again and again, until the end is likelier than any.

    1. Every model gives its law of the next byte, loosely at first; where what was left out could
       change which outcome of the mean is likeliest, it is asked for more, down to its own tolerance.
    2. The likeliest outcome is taken: a byte, that all models go on with, or the end.
    3. ``stop`` is told each byte and says whether that was enough; ``limit`` is the most bytes.

    Among outcomes that are equally likely the first is taken, the end last.

    Raises:
        ValueError: weights that are not one above 0 for each model.
    """
    import torch

    from completion.healing.law import END

    parts = shares(weights, len(models))
    text, log_probs, doubtful = bytearray(), list[float](), 0

    def decoded(ended: str) -> Decoded:
        return Decoded(text=bytes(text), ended=ended, log_probs=log_probs, doubtful=doubtful)

    while len(text) < limit:
        mean, sure = await _likeliest(models, parts)
        if bool(torch.isnan(mean).any()):
            return decoded("lost")
        doubtful += not sure
        best = int(torch.argmax(mean))
        log_probs.append(float(mean[best]))
        if best == END:
            return decoded("end")
        for model in models:
            model.push(best)
        text.append(best)
        if stop(bytes([best])):
            return decoded("stop")
    return decoded("limit")


async def read(
    models: Sequence[ByteModel], text: bytes, *, weights: Sequence[float] = ()
) -> AsyncGenerator[tuple[float, list[float]], None]:
    """Yield, for each byte of ``text``, its log-probability in the mean of the models and in each.

    Natural logarithms, given the bytes before it, to each model's own tolerance. What is left out of
    a law is spread evenly over all outcomes, so every byte is possible, and the bits that a text costs
    are those of a code that exists.

    Raises:
        ValueError: weights that are not one above 0 for each model.
    """
    parts = shares(weights, len(models))
    for byte in text:
        known = await together(model.next_bytes() for model in models)
        laws = [_spread(law, model.omitted) for law, model in zip(known, models, strict=True)]
        yield float(average(laws, parts)[byte]), [float(law[byte]) for law in laws]
        for model in models:
            model.push(byte)


def shares(weights: Sequence[float], count: int) -> list[float]:
    """Return ``weights`` so that they add up to one; none: the same for each of ``count``.

    Raises:
        ValueError: another number of them, or one that is not above 0.
    """
    found = list(weights) or [1.0] * count
    if len(found) != count or not all(0 < weight < math.inf for weight in found):
        raise ValueError(f"{count} models want {count} weights above 0, not {found}")
    return [weight / math.fsum(found) for weight in found]


def average(laws: Sequence[Tensor], parts: Sequence[float]) -> Tensor:
    """Return the logarithm of the weighted mean of laws, (257,).

    A model that cannot spell the text has none, which is NaN: its part goes to the others.
    """
    import torch

    mean, whole = torch.zeros(257, dtype=torch.float64), 0.0
    for law, part in zip(laws, parts, strict=True):
        if not bool(torch.isnan(law).any()):
            mean += part * torch.exp(law)
            whole += part
    return torch.log(mean / whole) if whole else torch.full_like(mean, math.nan)


def _spread(law: Tensor, omitted: float) -> Tensor:
    """Return the law with ``omitted`` of the probability spread evenly over all outcomes."""
    import torch

    return torch.log((1 - omitted) * torch.exp(law) + omitted / len(law))


async def _likeliest(models: Sequence[ByteModel], parts: Sequence[float]) -> tuple[Tensor, bool]:
    """Return the mean law, and whether what is left out of it cannot change its likeliest outcome."""
    tolerance, least = LOOSE, min(model.tolerance for model in models)
    while True:
        laws = await together(model.next_bytes(max(tolerance, model.tolerance)) for model in models)
        sure = _certain(laws, [model.omitted for model in models], parts)
        if sure or tolerance <= least:
            return average(laws, parts), sure
        tolerance /= 10


def _certain(laws: Sequence[Tensor], omitted: Sequence[float], parts: Sequence[float]) -> bool:
    """Return whether the likeliest outcome stays the likeliest whatever the rest of the laws is.

    The true law of a model is (1 - o) of what is known and o of anything, o ``omitted`` at most.
    """
    import torch

    known, unknown = torch.zeros(257, dtype=torch.float64), 0.0
    for law, out, part in zip(laws, omitted, parts, strict=True):
        if bool(torch.isnan(law).any()):
            continue
        known += part * (1 - out) * torch.exp(law)
        unknown += part * out
    first, second = torch.topk(known, 2).values.tolist()
    return first - second > unknown
