"""A toy model whose every string can be enumerated: six tokens, laws drawn from the history."""

from __future__ import annotations

import hashlib
import itertools
import math

import torch

from completion.healing.law import Law
from completion.healing.sorted_vocabulary import SortedVocabulary

TEXTS = (b"a", b"b", b"ab", b"aba", b"bb", b"aa", b"")
"""Id 6 has no text: it is the end."""
END_ID = 6


class Toy:
    """p(t | history), different behind every history, with every token possible."""

    def __init__(self, seed: int, texts: tuple[bytes, ...] = TEXTS) -> None:
        self.seed, self.texts = seed, texts
        self._rows: dict[tuple[int, ...], torch.Tensor] = {}
        self.vocabulary = SortedVocabulary(texts)

    def row(self, ids: tuple[int, ...]) -> torch.Tensor:
        """Return the log-probabilities behind ``ids``, float64."""
        if ids in self._rows:
            return self._rows[ids]
        digest = hashlib.sha256(f"{self.seed} {ids}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:6], "big"))
        logits = 1.5 * torch.randn(len(self.texts), generator=generator, dtype=torch.float64)
        return self._rows.setdefault(ids, torch.log_softmax(logits, 0))

    def log_prob(self, ids: tuple[int, ...]) -> float:
        """Return log p of the sequence."""
        return sum(float(self.row(ids[:n])[ids[n]]) for n in range(len(ids)))

    def spell(self, ids: tuple[int, ...]) -> bytes:
        """Return the text of ``ids``."""
        return b"".join(self.texts[i] for i in ids)

    def mass(self, text: bytes) -> float:
        """Return P(text) by its definition: over every sequence of the cover."""
        total = 0.0
        stack: list[tuple[int, ...]] = [()]
        while stack:
            ids = stack.pop()
            rest = text[len(self.spell(ids)) :]
            for token, spelled in enumerate(self.texts):
                if spelled and spelled.startswith(rest):
                    total += math.exp(self.log_prob((*ids, token)))
                elif spelled and rest.startswith(spelled):
                    stack.append((*ids, token))
        return total if text else 1.0

    def mass_of_end(self, text: bytes) -> float:
        """Return P(text, then the end)."""
        total = 0.0
        for size in range(len(text) + 1):
            for ids in itertools.product(range(len(self.texts)), repeat=size):
                if self.spell(ids) == text and all(self.texts[i] for i in ids):
                    ended = self.log_prob(ids) + float(self.row(ids)[END_ID])
                    total += math.exp(ended)
        return total

    def law(self, text: bytes, tolerance: float = 0.0) -> Law:
        """Return the law with everything expanded that :meth:`Law.heaviest` asks for."""
        law = Law(self.vocabulary, text)
        while more := law.heaviest(following=True, tolerance=tolerance, most=1):
            law.expand(more[0].ids, self.row(more[0].ids))
        return law
