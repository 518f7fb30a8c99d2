"""Where the candidates of one request part: the typed bytes spelled, then the first tokens.

Exact arms draw each candidate's leaf from the law over all covers of the typed bytes; at
temperature 0 the candidates are the most probable leaves. The one-token arm spells the word under
a mask. With nothing to spell, candidates part at the next token.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from completion.engine.base import Engine, RequestStats, Sampling
from completion.healing.arms import Heals
from completion.healing.healer import Healer
from completion.healing.one_token import Speller, typed_word
from completion.healing.search import COMPLETING
from completion.healing.vocabulary import Vocabulary
from completion.prompt.views import Prompt
from completion.server.candidate import Branch
from completion.together import together

if TYPE_CHECKING:
    from completion.healing.law import Context, Law, Leaf


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The branches of one request, and what was summed over to choose them."""

    branches: list[Branch]
    contexts: tuple[Context, ...] = ()
    """Of the cover, as far as it was expanded."""
    omitted: float = 0.0
    """Bound of the share of probability in contexts that were not."""
    stats: RequestStats | None = None
    """Of the first request behind the prompt, where that was one for the law."""


class Brancher:
    """Begins candidates on one engine with one vocabulary."""

    def __init__(
        self, engine: Engine, vocabulary: Vocabulary, stop_ids: tuple[int, ...], healer: Healer
    ) -> None:
        self._engine = engine
        self._healer = healer
        self._vocabulary = vocabulary
        self._stop_ids = frozenset(stop_ids)
        self._speller = Speller(vocabulary)

    def typed(self, prefix: bytes) -> bytes:
        """Return the end of ``prefix`` that is to be spelled again; empty where that cannot be.

        It cannot where a byte has no token, or where more tokens agree than the engine can mask.
        """
        typed = typed_word(prefix)
        if not typed or any(self._vocabulary.byte_ids[byte] < 0 for byte in typed):
            return b""
        return typed if self._speller.count(typed) <= self._engine.info.max_allowed_ids else b""

    async def begin(self, prompt: Prompt, heals: Heals, samplings: list[Sampling]) -> Begun:
        """Return branches for ``samplings``, which differ in their seeds alone.

        One for each, or fewer where fewer leaves cover what was typed.
        """
        if prompt.typed and heals is Heals.EXACT:
            return await self._covered(prompt, samplings)
        return Begun(branches=await self._masked(prompt.token_ids, prompt.typed, samplings))

    async def _covered(self, prompt: Prompt, samplings: list[Sampling]) -> Begun:
        stats = RequestStats()
        rows = self._healer.behind(prompt.token_ids, stats)
        if samplings[0].temperature > 0:
            law = await self._healer.law(rows, prompt.typed, COMPLETING, following=False)
        else:
            law = await self._healer.best(rows, prompt.typed, len(samplings))
        leaves = _leaves(law, samplings)
        branches = [self._from(leaf, law) for leaf in leaves]
        if not branches:  # nothing covers it: no vocabulary with all bytes comes here
            spelled = tuple(self._vocabulary.byte_ids[byte] for byte in prompt.typed)
            branches = [Branch(tokens=spelled)]
        return Begun(
            branches=branches,
            contexts=tuple(law.expanded.values()),
            omitted=law.omitted(following=False),
            stats=stats,
        )

    def _from(self, leaf: Leaf, law: Law) -> Branch:
        text = self._vocabulary.bytes_of(leaf.ids)[len(law.typed) :]
        return Branch(
            tokens=leaf.ids, text=text, log_prob=leaf.log_prob - law.log_mass if text else 0.0
        )

    async def _masked(
        self, prompt: list[int], typed: bytes, samplings: list[Sampling]
    ) -> list[Branch]:
        if samplings[0].temperature > 0:
            return await together(self._spell(prompt, typed, s) for s in samplings)
        spelled = await self._spell(prompt, typed, samplings[0])
        if len(samplings) == 1:
            return [spelled]
        trunk = [*prompt, *spelled.tokens]
        top = await self._engine.top_tokens(trunk, len(samplings))
        return [self._then(spelled, token, log_prob) for token, log_prob in top]

    async def _spell(self, prompt: list[int], typed: bytes, sampling: Sampling) -> Branch:
        """Draw tokens under the mask of ``typed`` until it is spelled; mostly it is one."""
        branch = Branch()
        while typed:
            allowed = tuple(self._speller.allowed(typed))
            once = replace(sampling, max_tokens=1, stop_token_ids=(), allowed_token_ids=allowed)
            token, log_prob = await self._draw([*prompt, *branch.tokens], once)
            text = self._vocabulary.bytes_of((token,))
            more, typed = text[len(typed) :], typed[len(text) :]
            branch = Branch(
                tokens=(*branch.tokens, token), text=more, log_prob=log_prob if more else 0.0
            )
        return branch

    async def _draw(self, prompt: list[int], sampling: Sampling) -> tuple[int, float]:
        drawn = (-1, 0.0)
        async with aclosing(self._engine.generate(prompt, sampling, RequestStats())) as steps:
            async for step in steps:
                drawn = (step.token_ids[0], step.log_probs[0])
        return drawn

    def _then(self, spelled: Branch, token: int, log_prob: float) -> Branch:
        if token in self._stop_ids:
            return replace(spelled, ended=True)
        return Branch(
            tokens=(*spelled.tokens, token),
            text=spelled.text + self._vocabulary.bytes_of((token,)),
            log_prob=spelled.log_prob + log_prob,
        )


def _leaves(law: Law, samplings: list[Sampling]) -> list[Leaf]:
    import torch

    if samplings[0].temperature <= 0:
        return law.best_leaves(len(samplings))
    if not law.best_leaves(1):
        return []
    leaves: list[Leaf] = []
    for sampling in samplings:
        generator = torch.Generator()
        if sampling.seed is None:
            generator.seed()
        else:
            generator.manual_seed(sampling.seed)
        leaves.append(law.draw_leaf(sampling.temperature, generator))
    return leaves
