"""Where the candidates of one request part: the typed bytes spelled, then the first tokens.

Exact arms draw each candidate's leaf from the law over all covers of the typed bytes; at
temperature 0 the candidates are the most probable leaves. The one-token arm spells the word under
a mask. With nothing to spell, candidates part at the next token.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from completion.engine.base import Engine, RequestStats, Sampling, Step
from completion.healing.arms import Heals
from completion.healing.cover import Ids
from completion.healing.healer import Healer
from completion.healing.memory import Remembered
from completion.healing.one_token import Speller, typed_word
from completion.healing.vocabulary import Vocabulary
from completion.prompt.views import Prompt
from completion.server.candidate import Branch
from completion.server.running import Running
from completion.together import together

if TYPE_CHECKING:
    import torch

    from completion.healing.law import Context, Law, Leaf


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The branches of one request, and what was summed over to choose them."""

    branches: list[Branch]
    law: Law | None = None
    """Of the cover, as far as it is expanded."""
    running: Running | None = None
    doubt: asyncio.Future[Begun | None] | None = None
    """What will replace this, where contexts are still asked for that could hold a better leaf."""

    @property
    def contexts(self) -> tuple[Context, ...]:
        """The contexts that were summed over."""
        return () if self.law is None else tuple(self.law.expanded.values())

    @property
    def omitted(self) -> float:
        """Bound of the share of probability in contexts that were not."""
        return 0.0 if self.law is None else self.law.omitted(following=False)

    @property
    def stats(self) -> RequestStats | None:
        """Of the first request behind the prompt, where that was one for the law."""
        return None if self.running is None else self.running.stats

    async def verdict(self) -> Begun | None:
        """Return what replaces this, or ``None``: it was right. Seldom waited for."""
        return None if self.doubt is None else await self.doubt

    async def aclose(self) -> None:
        """End what was started for candidates that never went on."""
        try:
            if self.doubt is not None:
                self.doubt.cancel()
                await asyncio.gather(self.doubt, return_exceptions=True)
        finally:
            if self.running is not None:
                await self.running.aclose()


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
        """Choose leaves of the cover, and go on at once where the first one is what was typed.

        1. One request is sent as if nothing were to be healed: the prompt, then what was typed in
           the tokens that it has by itself. Its first step brings the law behind each of them.
        2. The best leaf so far is gone on behind at once. Where contexts could hold a better one,
           they are asked for meanwhile; :meth:`Begun.verdict` says, and it is seldom overturned.
        3. What runs behind another leaf than the chosen one is aborted.

        While a word is typed its prompt stays the same, and so do the laws behind it: they are
        remembered, and where they are all there the leaf is known before anything is asked.
        """
        spelled, count = self._healer.spelled(prompt.typed), len(samplings)
        rows = self._healer.behind(prompt.token_ids, prompt.mixing, prompt.cache_salt)
        running = Running(self._engine, prompt.token_ids)
        doubt = None
        try:
            if not rows.knows(spelled[:n] for n in range(len(spelled))):
                once = replace(samplings[0], rows=(len(spelled) + 1, 1))
                _remember(rows, spelled, await running.start(spelled, once).first)
            law = await self._healer.along(rows, prompt.typed)
            if samplings[0].temperature > 0:
                await self._healer.settle(law, rows)
            elif law.rivals(count):
                (guess, *_) = [*law.best_leaves(1), None]
                if count == 1 and guess is not None:
                    doubt = asyncio.ensure_future(self._settled(law, rows, guess, running))
                else:
                    await self._healer.settle_best(law, rows, count)
            branches = [self._from(leaf, law) for leaf in _leaves(law, samplings)]
            if not branches:  # nothing has any probability: what was typed stays as it is
                branches = [Branch(tokens=spelled)]
            branches[0] = replace(branches[0], started=running.only(branches[0].tokens))
        except BaseException:
            await running.aclose()
            raise
        return Begun(branches=branches, law=law, running=running, doubt=doubt)

    async def _settled(
        self, law: Law, rows: Remembered, guess: Leaf, running: Running
    ) -> Begun | None:
        """Return ``None`` when nothing can be better than ``guess``, or else what is."""
        await self._healer.settle_best(law, rows, 1)
        best = law.best_leaves(1)[0]
        if best.ids == guess.ids:
            return None
        return Begun(branches=[self._from(best, law)], law=law, running=running)

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
        mixing, salt = samplings[0].mixing, samplings[0].cache_salt
        top = await self._engine.top_tokens(trunk, len(samplings), mixing, salt)
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


def _remember(rows: Remembered, spelled: Ids, step: Step) -> None:
    """Keep the laws behind the prompt and each of ``spelled`` but the last, as far as they came."""
    if step.rows is not None:
        for size, row in enumerate(step.rows[-len(spelled) :]):
            if not bool(row[0].isnan()):  # else the cache had it, and it is asked for by itself
                rows.known[spelled[:size]] = row


def _leaves(law: Law, samplings: list[Sampling]) -> list[Leaf]:
    if samplings[0].temperature <= 0:
        return law.best_leaves(len(samplings))
    if not law.best_leaves(1):
        return []
    return [law.draw_leaf(sampling.temperature, _generator(sampling)) for sampling in samplings]


def _generator(sampling: Sampling) -> torch.Generator:
    """Return the chance by which a leaf is drawn: independent of what draws the tokens behind it.

    The engine seeds a generator of the same kind with the request's own seed.
    """
    import torch

    generator = torch.Generator()
    if sampling.seed is None:
        generator.seed()
    else:
        digest = blake2b(f"leaf {sampling.seed}".encode(), digest_size=8).digest()
        generator.manual_seed(int.from_bytes(digest, "big") >> 1)
    return generator
