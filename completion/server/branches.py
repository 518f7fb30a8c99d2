"""Where the candidates of one request part: the unfinished word spelled, then the first tokens.

At temperature 0 the word is spelled once and the most probable next tokens are the branches; above
it each candidate draws its own.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from completion.engine.base import Engine, RequestStats, Sampling
from completion.healing.one_token import Speller, typed_word
from completion.healing.vocabulary import Vocabulary
from completion.server.candidate import Branch
from completion.together import together


class Brancher:
    """Begins candidates on one engine with one vocabulary."""

    def __init__(self, engine: Engine, vocabulary: Vocabulary, stop_ids: tuple[int, ...]) -> None:
        self._engine = engine
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

    async def begin(
        self, prompt: list[int], typed: bytes, samplings: list[Sampling]
    ) -> list[Branch]:
        """Return one branch for each of ``samplings``, which differ in their seeds alone.

        ``typed`` is what was taken out of the prompt and has to be spelled again.
        """
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
