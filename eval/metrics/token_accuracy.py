"""Token accuracy, as CodeXGLUE's token-level task counts it."""

from __future__ import annotations

from collections.abc import Sequence

NOT_COUNTED = frozenset({"<s>", "</s>", "<EOL>", "<pad>"})
"""Marks of the preprocessed data; no one has to predict them."""


def token_accuracy(predicted: Sequence[str], reference: Sequence[str]) -> tuple[float, float]:
    """Return how many tokens are right, and how many count: a pair, pooled over items.

    Position by position; positions where the reference is one of :data:`NOT_COUNTED` are left
    out, whatever was predicted there (CodeXGLUE, Lu et al. 2021, code completion, token level).

    Raises:
        ValueError: the two are not of one length, so that positions have no meaning.
    """
    if len(predicted) != len(reference):
        raise ValueError(f"{len(predicted)} predictions for {len(reference)} tokens")
    counted = [
        (guess, token)
        for guess, token in zip(predicted, reference, strict=True)
        if token not in NOT_COUNTED
    ]
    return float(sum(guess == token for guess, token in counted)), float(len(counted))
