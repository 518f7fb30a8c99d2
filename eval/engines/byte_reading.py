"""Texts read by models as laws over bytes: the bits that each costs, alone and in the mean.

A file stands behind the token that documents stand behind in training. A model sees at most its
context: positions move on by half of it, as in the suite ``bits``, so that but for a file's beginning
no byte is predicted from less than half a context. The rows along a text's own tokens come many at a
time; those of other spellings are asked for one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from completion.engine.base import Engine, RequestStats, Sampling
from completion.errors import CaretError
from completion.healing.byte_decoding import ByteModel, Care, read
from eval.document_start import start_token

if TYPE_CHECKING:
    from torch import Tensor

    from completion.healing.cover import Ids
    from eval.engines.members import Member

AHEAD = 64
"""Rows that one request brings."""
READING = Care(tolerance=2e-3)
"""What is left out costs bits, and never gains any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a text cost."""

    bits: float
    """In the mean of the models."""
    alone: tuple[float, ...]
    """In each of them."""
    size: int
    """In bytes."""
    rows: tuple[int, ...]
    """Rows of each that were looked at."""


async def read_text(
    members: Sequence[Member], weights: Sequence[float], text: bytes, care: Care = READING
) -> Reading:
    """Return the bits of ``text`` behind each model's first token.

    Raises:
        CaretError: a model has no such token, or cannot spell the text.
    """
    models = [_model(member, text, care) for member in members]
    whole, each = list[float](), list[list[float]]()
    async with aclosing(read(models, text, weights=weights)) as found:
        async for log_prob, alone in found:
            for member, one in zip(members, alone, strict=True):
                if not math.isfinite(one):
                    name, at = member.checkpoint.name, len(whole)
                    raise CaretError(f"{name} cannot spell the text: no token goes on at byte {at}")
            whole.append(log_prob)
            each.append(alone)
    return Reading(
        bits=_bits(whole),
        alone=tuple(_bits(one) for one in zip(*each, strict=True)),
        size=len(text),
        rows=tuple(model.rows_asked for model in models),
    )


def _bits(log_probs: Sequence[float]) -> float:
    return -math.fsum(log_probs) / math.log(2)


def _model(member: Member, text: bytes, care: Care) -> ByteModel:
    checkpoint = member.checkpoint
    dummy = checkpoint.template.dummy_prefix
    ahead = Ahead(
        member.engine,
        start=start_token(checkpoint),
        text=b" " + text if dummy else text,
        encode=checkpoint.encoder.encode,
    )
    model = ByteModel(member.vocabulary, ahead.rows, care=care)
    if dummy:  # the space that SentencePiece puts before a text
        model.push(0x20)
    return model


class Ahead:
    """The rows of one model along one text.

    ``text`` only says which rows to have ready; the law that is made of them does not depend on it.
    """

    def __init__(
        self, engine: Engine, *, start: int, text: bytes, encode: Callable[[bytes], list[int]]
    ) -> None:
        self._engine = engine
        self._start = start
        self._own: Ids = tuple(encode(text))
        self._context = engine.info.context_tokens - 1  # a law takes one token, thrown away
        self._known: dict[int, Tensor] = {}
        """By how many of the text's own tokens are before."""

    async def rows(self, contexts: Sequence[Ids]) -> list[Tensor]:
        """Return the rows behind the start token and each of ``contexts``."""
        own = {ids for ids in contexts if ids == self._own[: len(ids)]}
        for ids in sorted(own, key=len):
            if len(ids) not in self._known:
                await self._read_on(len(ids))
        others = [ids for ids in contexts if ids not in own or len(ids) not in self._known]
        laws = await self._engine.next_laws([self._prompt(ids) for ids in others]) if others else []
        found = dict(zip(others, laws, strict=True))
        return [found[ids] if ids in found else self._known[len(ids)] for ids in contexts]

    async def _read_on(self, size: int) -> None:
        """Have the rows behind the first ``size`` of the text's own tokens, and behind some more."""
        last = min(size + AHEAD - 1, len(self._own))
        while self._begin(last) != self._begin(size):
            last -= 1
        wanted = Sampling(max_tokens=1, rows=(last - size + 1, 0))
        prompt = self._prompt(self._own[:last])
        # Rows a little way back may still be wanted: a spelling can gain weight late.
        self._known = {at: row for at, row in self._known.items() if at >= size - AHEAD}
        async with aclosing(self._engine.generate(prompt, wanted, RequestStats())) as steps:
            async for step in steps:
                rows = () if step.rows is None else step.rows
                for back, row in enumerate(reversed(rows)):
                    if not bool(row[:1].isnan().any()):  # the cache had it, and so no row was made
                        self._known[last - back] = row
                break

    def _prompt(self, ids: Ids) -> list[int]:
        return [self._start, *ids][self._begin(len(ids)) :]

    def _begin(self, size: int) -> int:
        """Return where the window begins that is seen behind the start and ``size`` tokens."""
        step = max(1, self._context // 2)
        return max(0, math.ceil((size + 1 - self._context) / step)) * step
