"""The law of the next byte behind a text that grows: what is known of it is carried, not found again.

:class:`~completion.healing.law.Law` answers for one x. Here x grows by a byte at a time, and what
`Law` would build anew stays: a way (a token sequence that spells a beginning of x) keeps the model's
row for as long as some token in it agrees with the text, and is dropped with the byte that none
agrees with; a token that spells exactly what stands behind a way makes a new way, for which a row is
wanted only once it weighs enough. Behind the same ways the two give the same law.

Two things keep that small behind a long text. Both leave something out, and both say how much.

1. A pending way is known by its weight alone, which is its share of the probability when it appears;
   while the text goes on, its own share stays unknown until its row is asked for. It is counted as
   going on like the text does: each byte that the law gave a probability p multiplies it by p too, but
   by no less than *surprise*. So a light way stays light behind bytes that were to be expected, and
   what surprised the law brings up all that could have known better. With a surprise of 1 it counts
   in full, as in `Law`, and :attr:`ByteLaw.omitted` is a bound for this very text; below 1 it is one in
   the mean over texts that the model itself would write, because a share changes from byte to byte,
   but not its mean.
2. The *trunk* is what the text is held to be spelled by: :meth:`ByteLaw.settle` moves it over a token
   that all but a given share agrees on. From then on the law is conditional on that: it is the law of
   `Law` behind prompt and trunk, for the bytes behind the trunk. The shares that were left behind,
   each at its time, add up in :attr:`ByteLaw.given_up`; in the same mean it bounds the probability that
   the text is spelled otherwise.

Phan et al., arXiv 2410.09303, for the law; tensors and bytes only, no engine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from completion.healing.law import END

if TYPE_CHECKING:
    from torch import Tensor

    from completion.healing.cover import Ids
    from completion.healing.sorted_vocabulary import SortedVocabulary


MOST_PENDING = 512
"""Pending ways beyond which the lightest are dropped, and counted as given up. Most texts have some
tens; a string of bytes that all surprise the model can be spelled in thousands of ways."""


@dataclass(frozen=True, slots=True)
class Way:
    """Tokens behind the trunk that spell a beginning of the text behind it."""

    ids: Ids
    ends: tuple[int, ...]
    """Where each of its tokens ends in that text."""
    log_weight: float
    """Natural log of Π p(t | what is before), the trunk's tokens among them."""

    @property
    def at(self) -> int:
        """How many bytes it spells."""
        return self.ends[-1] if self.ends else 0


@dataclass(frozen=True, slots=True)
class _Open:
    """A way whose row is known, and what of it agrees with the text."""

    way: Way
    low: int
    """Place in the vocabulary's order of the first token that starts with the rest of the text."""
    tokens: Tensor
    """Probabilities of the tokens from there on that do, float64."""
    ended: float
    """Probability of the end, where the way spells the whole text."""
    mass: float
    """Of what goes on behind the text, the end included: longer tokens alone."""


class ByteLaw:
    """The law behind one prompt, from the empty text on.

    1. :meth:`push` a byte that the text goes on with.
    2. :meth:`heaviest` says whose rows are wanted; :meth:`expand` takes them in.
    3. :meth:`next_bytes` is the law as far as it is known, :attr:`omitted` what is missing.
    4. :meth:`settle` moves the trunk.

    ``surprise``: see above; between 0 and 1.
    """

    def __init__(self, vocabulary: SortedVocabulary, *, surprise: float = 1.0) -> None:
        self._vocabulary = vocabulary
        self._surprise = surprise
        self.trunk: Ids = ()
        """Tokens behind the prompt that are settled."""
        self.text = b""
        """The bytes behind the trunk."""
        self.given_up = 0.0
        """Sum of the shares of probability that were left behind, each at its time."""
        self.pending: dict[Ids, Way] = {(): Way((), (), 0.0)}
        """Ways whose rows are not known."""
        self._open: dict[Ids, _Open] = {}
        self._passed = [0.0]
        """At each place of :attr:`text`, how probable it was up to there, as pending ways count it."""
        self._unit = 0.0  # the greatest log weight: weights are counted in it, lest they vanish

    def push(self, byte: int) -> None:
        """Let the text go on with ``byte``; ways that cannot are dropped, new ones are pending."""
        self.text += bytes([byte])
        known, _ = self._masses()
        before, self._open, kept = self._open, {}, 0.0
        for one in before.values():
            low, high = self._vocabulary.starting_with(self.text[one.way.at :])
            if low < high:
                tokens = one.tokens[low - one.low : high - one.low].clone()
                kept += self._weight(one.way) * float(tokens.sum())
                self._keep(one.way, low, tokens)
        share = kept / known if known > 0 else 1.0  # of a byte that was typed nothing is known
        self._passed.append(self._passed[-1] + math.log(max(share, self._surprise)))
        self._rescale()
        if len(self.pending) > MOST_PENDING:
            self._forget()

    def expand(self, ids: Ids, log_probs: Tensor) -> None:
        """Take in the model's log-probabilities of the token behind the pending way ``ids``.

        ``log_probs`` as in :meth:`Law.expand`. Raises KeyError for a way that is not pending.
        """
        way = self.pending.pop(ids)
        self._unit = max(self._unit, way.log_weight)  # it may have counted for less than it weighs
        rest, vocabulary = self.text[way.at :], self._vocabulary
        for size, (low, high) in vocabulary.beginning(rest) if rest else ():
            for token in vocabulary.ids[low:high]:
                self._add(way, token, float(log_probs[token]), way.at + size)
        low, high = vocabulary.starting_with(rest)
        tokens = torch.exp(log_probs[vocabulary.order[low:high]].double())
        if rest:
            self._keep(way, low, tokens)
            return
        ended = torch.exp(log_probs[vocabulary.without_text(log_probs.shape[0])].double())
        end = float(ended.sum())
        self._open[ids] = _Open(way, 0, tokens, end, float(tokens.sum()) + end)

    def _keep(self, way: Way, low: int, tokens: Tensor) -> None:
        """Keep a way whose tokens from ``low`` on start with the rest of the text, which is some.

        Those that spell just the rest make ways of their own.
        """
        exact, following = self._vocabulary.next_byte(self.text[way.at :])
        for token, probability in zip(
            self._vocabulary.ids[low : low + exact], tokens[:exact].tolist(), strict=True
        ):
            if probability > 0:
                self._add(way, token, math.log(probability), len(self.text))
        if len(following):
            self._open[way.ids] = _Open(way, low, tokens, 0.0, float(tokens[exact:].sum()))

    def _add(self, way: Way, token: int, log_prob: float, end: int) -> None:
        if log_prob > -math.inf:
            ids = (*way.ids, token)
            self.pending[ids] = Way(ids, (*way.ends, end), way.log_weight + log_prob)

    def _forget(self) -> None:
        """Drop the lightest pending ways beyond half of :data:`MOST_PENDING`."""
        whole = math.fsum(self._masses())
        lightest = sorted(self.pending.values(), key=lambda way: (self._counted(way), way.ids))
        for way in lightest[: -(MOST_PENDING // 2)]:
            self.given_up += self._waiting(way) / whole
            del self.pending[way.ids]

    @property
    def ways(self) -> int:
        """How many ways a row is held of."""
        return len(self._open)

    @property
    def likeliest(self) -> Ids:
        """The way that most of the probability goes through last: its tokens behind the trunk."""
        held = [(self._weight(one.way) * one.mass, one.way.ids) for one in self._open.values()]
        held += [(self._waiting(way), way.ids) for way in self.pending.values()]
        return max(held)[1] if held else ()

    @property
    def lost(self) -> bool:
        """Whether nothing is known of what may follow the text."""
        return self._masses()[0] <= 0

    @property
    def omitted(self) -> float:
        """The share of probability that pending ways count for, which is not in the law, 0 to 1."""
        known, waiting = self._masses()
        return waiting / (known + waiting) if known + waiting > 0 else 1.0

    def heaviest(self, *, tolerance: float, most: int) -> list[Way]:
        """Return the pending ways whose rows bring :attr:`omitted` to ``tolerance``.

        The heaviest first, ``most`` of them at most; none when it is there already.
        """
        known, left = self._masses()
        whole, found = known + left, list[Way]()
        waiting = ((self._waiting(way), way) for way in self.pending.values())
        for weight, way in sorted(waiting, key=lambda pair: (-pair[0], pair[1].ids)):
            if left <= tolerance * whole or len(found) == most:
                break
            found.append(way)
            left -= weight
        return found

    def farthest(self) -> list[Way]:
        """Return the pending way that spells most of the text, of several the heaviest.

        For a law of which nothing is known: a vocabulary with all bytes ends that in two rows.
        """
        order = sorted(self.pending.values(), key=lambda w: (-w.at, -w.log_weight, w.ids))
        return order[:1]

    def next_bytes(self) -> Tensor:
        """Return log P(b | text) for 256 bytes and, at :data:`~completion.healing.law.END`, of the
        end: shape (257,), float64. Normalised over what is known; NaN where that is nothing."""
        followed = torch.zeros(257, dtype=torch.float64)
        for one in self._open.values():
            weight = self._weight(one.way)
            exact, following = self._vocabulary.next_byte(self.text[one.way.at :])
            followed.index_add_(0, following, weight * one.tokens[exact:])
            followed[END] += weight * one.ended
        return torch.log(followed) - torch.log(followed.sum())

    def settle(self, tolerance: float, longest: int) -> Ids:
        """Move the trunk on while all but ``tolerance`` of the probability agrees on its next token.

        While more than ``longest`` bytes stand behind it, it moves to the token that most agrees on,
        whatever that gives up; unless more is in tokens that reach over all of the text. Returns the
        tokens by which it has moved, mostly none or one.
        """
        moved: Ids = ()
        while (found := self._agreed()) is not None:
            first, lost, over = found
            if lost > tolerance and (over or len(self.text) <= longest):
                break
            self.given_up += lost
            self._move(first)
            moved = (*moved, first.ids[0])
        return moved

    def _agreed(self) -> tuple[Way, float, bool] | None:
        """Return a way through the first token that most go through, and what does not at most.

        And whether more is in tokens right behind the trunk that reach over the text.
        """
        shares: dict[int, float] = {}
        ways: dict[int, Way] = {}
        over = 0.0
        for one in self._open.values():
            mass = self._weight(one.way) * one.mass
            if not one.way.ids:
                over = mass
                continue
            first = one.way.ids[0]
            shares[first] = shares.get(first, 0.0) + mass
            ways[first] = one.way
        first = max(shares, key=lambda token: (shares[token], -token), default=None)
        if first is None or shares[first] <= 0:
            return None
        waiting = (way for way in self.pending.values() if way.ids[:1] != (first,))
        others = over + sum(shares.values()) - shares[first]
        others = max(0.0, others) + math.fsum(map(self._waiting, waiting))
        return ways[first], others / (others + shares[first]), over > shares[first]

    def _move(self, through: Way) -> None:
        """Move the trunk over the first token of ``through``, and forget what does not share it."""
        token, size = through.ids[0], through.ends[0]

        def behind(way: Way) -> Way:
            return Way(way.ids[1:], tuple(end - size for end in way.ends[1:]), way.log_weight)

        self.trunk = (*self.trunk, token)
        self.text, self._passed = self.text[size:], self._passed[size:]
        kept = [way for way in self.pending.values() if way.ids[:1] == (token,)]
        self.pending = {way.ids[1:]: behind(way) for way in kept}
        opened = [one for one in self._open.values() if one.way.ids[:1] == (token,)]
        self._open = {one.way.ids[1:]: replace(one, way=behind(one.way)) for one in opened}
        self._rescale()

    def _rescale(self) -> None:
        weights = [one.way.log_weight for one in self._open.values()]
        weights += [self._counted(way) for way in self.pending.values()]
        self._unit = max(weights, default=0.0)

    def _counted(self, way: Way) -> float:
        """Return the log weight that a pending way counts with."""
        return way.log_weight + self._passed[-1] - self._passed[way.at]

    def _waiting(self, way: Way) -> float:
        return math.exp(self._counted(way) - self._unit)

    def _weight(self, way: Way) -> float:
        return math.exp(way.log_weight - self._unit)

    def _masses(self) -> tuple[float, float]:
        """Return the weight of what is known to follow the text, and of all pending ways."""
        known = math.fsum(self._weight(one.way) * one.mass for one in self._open.values())
        return known, math.fsum(map(self._waiting, self.pending.values()))
