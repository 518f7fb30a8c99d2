"""The exact law of text after typed bytes, summed over the token sequences that cover them.

Phan et al., arXiv 2410.09303 (the Byte-Token Representation Lemma), re-derived. Let x be the bytes
that must be reproduced behind a fixed prompt, k(t) the bytes of a token, p the model. The cover of
x is C(x) = { t1…tm : k(t1…tm-1) is a strict prefix of x, and x is a prefix of k(t1…tm) }; its
elements exclude each other, so

    P(x) = Σ over C(x) of p(t1…tm),    P(b | x) = P(xb) / P(x),

and the text ends behind x with Σ p(t) p(end | t) over the elements that spell x exactly. A
*context* is a sequence that spells x[:i]; the law is built from contexts one at a time, each with
the model's log-probabilities behind it. What has not been expanded is bounded, never forgotten:
a context's whole contribution is at most its weight.

It knows tensors and bytes, no engine. Sums are of probabilities in float64; nothing is subtracted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from completion.healing.cover import Ids
from completion.healing.sorted_vocabulary import Range, SortedVocabulary

END = 256
"""Index of the end of the text in a law of 257 outcomes."""


@dataclass(frozen=True, slots=True)
class Context:
    """A token sequence behind the prompt that spells the first ``at`` bytes of x."""

    ids: Ids
    at: int
    log_weight: float
    """Natural log of Π p(t | what is before)."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An element of the cover: a context and the token that reaches the end of x or beyond."""

    context: Context
    token: int
    log_prob: float
    """Of context and token together, untempered."""

    @property
    def ids(self) -> Ids:
        """All its tokens."""
        return (*self.context.ids, self.token)


class Law:
    """The law behind one prompt for one x, as far as contexts have been expanded.

    Start with the empty context pending; :meth:`expand` takes the model's row behind a pending
    context and adds what follows from it. All measures hold for what is expanded so far.

    ``masked``: so many bytes of x are spelled as the usual remedy does it, each token drawn among
    those that agree with them, which forgets how probable the rest is: for comparison. With 0 the
    law is exact.
    """

    def __init__(self, vocabulary: SortedVocabulary, typed: bytes, *, masked: int = 0) -> None:
        self.typed = typed
        self._masked = masked
        self._vocabulary = vocabulary
        self.pending: dict[Ids, Context] = {(): Context((), 0, 0.0)}
        """Contexts that are known of and not expanded."""
        self.expanded: dict[Ids, Context] = {}
        self._leaves: dict[Ids, Tensor] = {}
        """Log-probabilities, float64, of the tokens behind a context that start with the rest of x,
        in the vocabulary's order: all of them behind a context that spells x."""
        self._ends: dict[Ids, float] = {}  # of contexts that spell x: probability of the end
        self._reached = 0.0  # P(x) so far

    def expand(self, ids: Ids, log_probs: Tensor) -> None:
        """Take in the model's log-probabilities of the token behind the context ``ids``.

        ``log_probs``: shape (V',), V' at least the vocabulary's size, natural log, a law over ids;
        ids without text count as the end. Raises KeyError for a context that is not pending.
        """
        context = self.pending.pop(ids)
        self.expanded[ids] = context
        rest, vocabulary = self.typed[context.at :], self._vocabulary
        if not rest:
            self._leaves[ids] = log_probs[vocabulary.order].double()
            ended = log_probs[vocabulary.without_text(log_probs.shape[0])]
            self._ends[ids] = float(torch.exp(ended.double()).sum())
            if not self.typed:  # no leaf is drawn here: plain decoding
                self._reached = float(torch.exp(log_probs.double()).sum())
            return
        shift = 0.0
        if context.at < self._masked:
            shift = self._masked_out(log_probs, self.typed[context.at : self._masked])
        for size, span in vocabulary.beginning(rest):
            self._add(context, span, log_probs, shift, context.at + size)
        low, high = vocabulary.starting_with(rest)
        if low < high:
            leaves = log_probs[vocabulary.order[low:high]].double() - shift
            self._leaves[ids] = leaves
            self._reached += math.exp(context.log_weight) * float(torch.exp(leaves).sum())
            self._add(context, vocabulary.spelling(rest), log_probs, shift, len(self.typed))

    def _masked_out(self, log_probs: Tensor, forced: bytes) -> float:
        """Return the logarithm of what the tokens weigh that agree with ``forced``."""
        spans = [span for _, span in self._vocabulary.beginning(forced)]
        spans.append(self._vocabulary.starting_with(forced))
        order = self._vocabulary.order
        agreeing = sum(float(torch.exp(log_probs[order[a:b]].double()).sum()) for a, b in spans)
        return math.log(agreeing) if agreeing > 0 else 0.0

    def _add(self, context: Context, span: Range, log_probs: Tensor, shift: float, at: int) -> None:
        for token in self._vocabulary.ids[span[0] : span[1]]:
            log_weight = context.log_weight + float(log_probs[token]) - shift
            if log_weight > -math.inf:
                ids = (*context.ids, token)
                self.pending[ids] = Context(ids, at, log_weight)

    @property
    def log_mass(self) -> float:
        """log P(x), a lower bound of it by what is not expanded."""
        return math.log(self._reached) if self._reached > 0 else -math.inf

    def omitted(self, *, following: bool) -> float:
        """Return a bound of the share of probability that is not in the law, 0 to 1.

        ``following``: of the law of what comes behind x, for which the contexts that spell x
        exactly have to be expanded too; otherwise of P(x).
        """
        before = sum(math.exp(c.log_weight) for c in self._unreached())
        whole = self._reached + before
        if whole <= 0:
            return 1.0
        behind = 0.0
        if following:
            behind = sum(math.exp(c.log_weight) for c in self.pending.values()) - before
        return min(1.0, (before + max(0.0, behind)) / whole)

    def _unreached(self) -> list[Context]:
        return [c for c in self.pending.values() if c.at < len(self.typed) or not self.typed]

    def heaviest(self, *, following: bool, tolerance: float, most: int) -> list[Context]:
        """Return the pending contexts whose expansion brings :meth:`omitted` to ``tolerance``.

        The heaviest first, ``most`` of them at most; none when it is there already.
        """
        waiting = list(self.pending.values()) if following else self._unreached()
        waiting.sort(key=lambda c: (-c.log_weight, c.ids))
        whole = self._reached + sum(math.exp(c.log_weight) for c in self._unreached())
        left = sum(math.exp(c.log_weight) for c in waiting)
        found: list[Context] = []
        for context in waiting:
            if left <= tolerance * whole or len(found) == most:
                break
            found.append(context)
            left -= math.exp(context.log_weight)
        return found

    def rivals(self, count: int) -> list[Context]:
        """Return the pending contexts that could hold one of the ``count`` best leaves.

        Those that weigh more than the last of the best leaves known: no leaf behind a context is
        more probable than the context itself. Without rivals :meth:`best_leaves` is exact.
        """
        best = self.best_leaves(count)
        least = best[-1].log_prob if len(best) == count else -math.inf
        return [c for c in self._unreached() if c.log_weight > least]

    def next_bytes(self) -> Tensor:
        """Return log P(b | x) for 256 bytes and, at :data:`END`, of the end: shape (257,).

        Normalised over what is expanded, so it sums to one; NaN where that is nothing.
        """
        followed = torch.zeros(257, dtype=torch.float64)
        for ids, leaves in self._leaves.items():
            context = self.expanded[ids]
            weight = math.exp(context.log_weight)
            exact, following = self._vocabulary.next_byte(self.typed[context.at :])
            followed.index_add_(0, following, weight * torch.exp(leaves[exact:]))
            followed[END] += weight * self._ends.get(ids, 0.0)
        return torch.log(followed) - torch.log(followed.sum())

    def best_leaves(self, count: int) -> list[Leaf]:
        """Return the ``count`` most probable leaves, best first; fewer where there are fewer."""
        found: list[Leaf] = []
        for context, low, leaves in self._leafy():
            top = torch.topk(leaves, min(count, leaves.shape[0]))
            for value, at in zip(top.values.tolist(), top.indices.tolist(), strict=True):
                token = self._vocabulary.ids[low + at]
                found.append(Leaf(context, token, context.log_weight + value))
        found.sort(key=lambda leaf: (-leaf.log_prob, leaf.ids))
        return found[:count]

    def draw_leaf(self, temperature: float, generator: torch.Generator | None = None) -> Leaf:
        """Draw one leaf with weight (w(c) p(t|c))^(1/T); the best one where ``temperature`` is 0.

        Raises:
            ValueError: no leaf has any probability.
        """
        if temperature <= 0:
            best = self.best_leaves(1)
            if not best:
                raise ValueError("no token sequence covers the typed bytes")
            return best[0]
        behind = self._leafy()
        parts = [(context.log_weight + leaves) / temperature for context, _, leaves in behind]
        masses = torch.stack([torch.logsumexp(part, 0) for part in parts]) if parts else None
        if masses is None or not bool(torch.isfinite(masses).any()):
            raise ValueError("no token sequence covers the typed bytes")
        chosen = int(torch.multinomial(torch.softmax(masses, 0), 1, generator=generator))
        context, low, leaves = behind[chosen]
        probabilities = torch.softmax(parts[chosen], 0)
        at = int(torch.multinomial(probabilities, 1, generator=generator))
        log_prob = context.log_weight + float(leaves[at])
        return Leaf(context, self._vocabulary.ids[low + at], log_prob)

    def _leafy(self) -> list[tuple[Context, int, Tensor]]:
        """Return the expanded contexts that a leaf can follow, where its tokens begin in the order,
        and their log-probabilities."""
        found: list[tuple[Context, int, Tensor]] = []
        for ids, leaves in self._leaves.items():
            context = self.expanded[ids]
            if context.at < len(self.typed):
                low, _ = self._vocabulary.starting_with(self.typed[context.at :])
                found.append((context, low, leaves))
        return found
