"""METEOR on tokens of code: matched tokens, with a penalty for the pieces they lie in.

Only the exact stage of the matcher: code has no stems and no synonyms. The figures are nltk's with
an identity stemmer, an empty wordnet and no lower case.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence

ALPHA = 0.9
"""Weight of recall in the harmonic mean."""
BETA = 3.0
"""Shape of the penalty."""
GAMMA = 0.5
"""The largest penalty."""


def meteor(candidate_tokens: Sequence[str], reference_tokens: Sequence[str]) -> float:
    """Return METEOR, 0 to 1 (Lavie & Agarwal 2007, section 2, with its parameters).

    F = P R / (α P + (1 - α) R), times 1 - γ (chunks / matches)^β, where a chunk is a run of
    matches that is contiguous in both. So a perfect candidate of m tokens scores 1 - γ / m³, not
    1: a single right token scores 0.5. 0 where nothing matches or either is empty.
    """
    pairs = _alignment(candidate_tokens, reference_tokens)
    if not pairs:
        return 0.0
    matches = len(pairs)
    precision, recall = matches / len(candidate_tokens), matches / len(reference_tokens)
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    chunks = 1 + sum(
        after != (before[0] + 1, before[1] + 1) for before, after in itertools.pairwise(pairs)
    )
    return mean * (1 - GAMMA * (chunks / matches) ** BETA)


def _alignment(candidate: Sequence[str], reference: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs of positions with equal tokens, each position once, by candidate position.

    From the end: the last free occurrence in the reference, as nltk aligns. The paper asks for the
    alignment with the fewest crossings; the two differ where tokens repeat.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, token in enumerate(reference):
        places[token].append(place)
    pairs = [
        (at, places[token].pop())
        for at, token in reversed(list(enumerate(candidate)))
        if places.get(token)
    ]
    return pairs[::-1]
