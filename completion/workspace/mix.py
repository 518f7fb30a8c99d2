"""The law of a model and its user's own project, mixed into the logits of a decoding step.

With p the model's law, q what followed the longest match in the workspace, E the ids that end a
middle or stand for no text, and λ' the weight of the workspace, for t outside E

    p_mix(t) = (1 − p(E)) [ (1−λ') p(t)/(1−p(E)) + λ' q(t) ],    and p_mix(t) = p(t) in E.

So the workspace says how a text goes on, and never whether it ends. λ' is a logistic function of
how often the workspace was right in such a place and of how certain the model is
(:mod:`completion.workspace.fit`), as nested-cache models are weighed against a network by
Hellendoorn and Devanbu (FSE 2017, section 4).

Rows stay logits: what is written is log p_mix plus a constant of the row. With the constant that
leaves every token outside E and q as it was, few entries are touched: with x = logit λ' and
L = log Σ exp(logits) outside E,

    t in E: logit + log(1 + eˣ),    t in q: log(exp(logit) + exp(x + L + log q(t))).

The law is that of temperature 1: it is mixed before a sampler's temperature and top-p, which then
act on it as on a model's. A logit of −∞ is a token that someone else forbids; it stays so, and q
is what it says of the others. Whoever masks before cuts p and q apart, though, and p_mix is then
not the conditional of the mixture: mask after. It knows tensors and counts, no engine and no text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from completion.workspace.match import Match
from completion.workspace.mix_batch import DeviceOutcome, mix_batch
from completion.workspace.mix_rows import Entry, Outcome, mix_rows


class Found(Protocol):
    """What was found in the workspace behind a row's text: a ``Match``."""

    @property
    def length(self) -> int:
        """How many tokens match."""
        ...

    @property
    def ids(self) -> Sequence[int] | NDArray[np.integer]:
        """The tokens that followed, each once."""
        ...

    @property
    def weights(self) -> Sequence[float] | NDArray[np.number]:
        """How often each did, all above 0."""
        ...

    @property
    def seen(self) -> float:
        """The sum of the weights."""
        ...

    @property
    def share(self) -> float:
        """The favourite's part of the sum."""
        ...


class Weigher(Protocol):
    """What gives the workspace its weight: a ``Fit``."""

    def terms(self, length: int, share: float, seen: float) -> tuple[float, float]:
        """Return r and b of logit λ' = r + b logit(1 − m)."""
        ...


class Mixed:
    """What was mixed into one row. On a GPU, the first look at a number of it waits for the batch."""

    def __init__(
        self,
        found: Found,
        outcome: Outcome | DeviceOutcome,
        slot: int,
        ids: list[int] | NDArray[np.int64],
        at: int,
    ) -> None:
        self.length = found.length
        """Tokens that matched."""
        self.share = found.share
        """The favourite's part of what followed."""
        self.seen = found.seen
        """The sum of the counts of what followed."""
        self._all, self._slot, self._ids, self._at = outcome, slot, ids, at

    @property
    def weight(self) -> float:
        """λ'; 0 where everything that followed is forbidden."""
        return 1.0 / (1.0 + math.exp(-self._logit)) if self._logit > -math.inf else 0.0

    @property
    def certainty(self) -> float:
        """The model's own, m = max p."""
        return float(self._outcome.certainty_K[self._slot])

    def workspace_prob(self, token: int) -> float:
        """Return q(token)."""
        at = self._places.get(token)
        return 0.0 if at is None else math.exp(self._outcome.log_q_N[at])

    def model_prob(self, token: int, law_prob: float, *, ends: bool = False) -> float:
        """Return p(token), ``law_prob`` being p_mix(token) and ``ends`` whether it is in E."""
        at = self._places.get(token)
        if at is not None:
            return math.exp(self._outcome.log_model_N[at])
        return law_prob if ends else law_prob * (1.0 + math.exp(self._logit))

    @property
    def _outcome(self) -> Outcome:
        return self._all.outcome if isinstance(self._all, DeviceOutcome) else self._all

    @property
    def _logit(self) -> float:
        return float(self._outcome.logit_K[self._slot])

    @cached_property
    def _places(self) -> dict[int, int]:
        return {int(token): self._at + at for at, token in enumerate(self._ids)}


class Mixer:
    """Mixes a workspace into rows of logits in place.

    ``kept``: E, the ids whose probability is the model's alone: those that end a middle, and those
    without text, which the workspace never says. Ids from ``vocabulary`` on, which only pad the
    model's rows, are among them.
    """

    def __init__(self, kept: Iterable[int], vocabulary: int) -> None:
        self._kept = np.unique(np.fromiter(kept, np.int64))
        if self._kept.size and self._kept[0] < 0:
            raise ValueError(f"a token id of {self._kept[0]}")
        self._vocabulary = vocabulary
        self._said = np.ones(vocabulary, bool)
        self._said[self._kept[self._kept < vocabulary]] = False
        self._kept_or_none = frozenset(self._kept.tolist())
        self._kept_in: dict[int, NDArray[np.int64]] = {}

    def mix(
        self,
        logits: Tensor,
        found: Sequence[Found | None],
        fits: Sequence[Weigher | None],
    ) -> list[Mixed | None]:
        """Write the mixed law over ``logits``, shape (rows, V), any float type, any device.

        ``found`` and ``fits``: one a row. A row with nothing found, or nothing but ids of E, is not
        touched, and neither are tokens outside E and q. On a GPU nothing is waited for.
        """
        entries: list[Entry] = []
        for row, (match, fit) in enumerate(zip(found, fits, strict=True)):
            if match is not None and fit is not None:
                few = match.few if isinstance(match, Match) else None
                ids, q = self._sayable(match) if few is None else self._sayable_of(few, match.seen)
                if len(ids):
                    terms = fit.terms(match.length, match.share, match.seen)
                    entries.append(Entry(row, ids, q, *terms))
        mixed: list[Mixed | None] = [None] * len(found)
        if not entries:
            return mixed
        kept = self._kept_of(logits.shape[1])
        if logits.device.type == "cpu" and logits.dtype in (torch.float32, torch.float64):
            outcome = mix_rows(logits, entries, kept)
        else:
            outcome = mix_batch(logits, entries, kept)
        at = 0
        for slot, entry in enumerate(entries):
            match = found[entry.row]
            assert match is not None
            mixed[entry.row] = Mixed(match, outcome, slot, entry.ids, at)
            at += len(entry.ids)
        return mixed

    def kept_among(self, ids: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return which of ``ids``, (n,), are of E."""
        return np.isin(ids, self._kept)

    def _sayable_of(self, few: dict[int, float], seen: float) -> tuple[list[int], list[float]]:
        """Return the same of a few places, without arrays."""
        said = self._kept_or_none
        if said.isdisjoint(few):
            return list(few), [weight / seen for weight in few.values()]
        left = {token: weight for token, weight in few.items() if token not in said}
        whole = sum(left.values())
        return list(left), [weight / whole for weight in left.values()]

    def _sayable(self, match: Found) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the ids of a match that may be said, and how probable each is among them."""
        ids = np.asarray(match.ids, np.int64)
        weights = np.asarray(match.weights, np.float64)
        there = self._said.take(ids, mode="clip")
        if ids.min() < 0 or ids.max() >= self._vocabulary:
            there &= (ids >= 0) & (ids < self._vocabulary)
        if there.all():
            return ids, weights / match.seen
        ids, weights = ids[there], weights[there]
        return ids, weights / weights.sum()

    def _kept_of(self, width: int) -> NDArray[np.int64]:
        found = self._kept_in.get(width)
        if found is None:
            padding = np.arange(self._vocabulary, width)
            found = self._kept_in[width] = np.union1d(self._kept[self._kept < width], padding)
        return found
