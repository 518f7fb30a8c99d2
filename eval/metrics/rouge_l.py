"""ROUGE-L on tokens: the longest common subsequence, as F1."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import LCSseq


def rouge_l(candidate_tokens: Sequence[str], reference_tokens: Sequence[str]) -> float:
    """Return ROUGE-L's F1, 0 to 1 (Lin 2004, section 3.1, with beta = 1).

    Precision is the length of the longest common subsequence over the candidate's, recall over
    the reference's. No stemming, no case folding: tokens of code are what they are. 0 where either
    is empty, even both, as in the ``rouge-score`` package.
    """
    if not candidate_tokens or not reference_tokens:
        return 0.0
    common = LCSseq.similarity(tuple(candidate_tokens), tuple(reference_tokens))
    # The harmonic mean of common / candidate and common / reference.
    return 2 * common / (len(candidate_tokens) + len(reference_tokens))
