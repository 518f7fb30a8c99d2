"""Bits per byte: how well a model predicts text, comparable between tokenizers."""

from __future__ import annotations

import math
from collections.abc import Iterable

_ROUNDING = 1e-3
"""A log-probability may be this much over 0, of single-precision sums; more is an error."""


def bits_per_byte(log_probs: Iterable[float], size: int) -> tuple[float, float]:
    """Return the bits that ``log_probs`` cost and the bytes they are of: a pair, pooled over items.

    ``log_probs`` are natural logarithms, of tokens or of whole texts; ``size`` counts all UTF-8
    bytes that they predict. Pooled, the ratio is of all bits to all bytes, not a mean of ratios.

    Raises:
        ValueError: a log-probability is not one (NaN, over 0), or is minus infinity, of which no
            mean can be made; or ``size`` is not over 0.
    """
    if size <= 0:
        raise ValueError(f"{size} bytes have no bits per byte")
    total: list[float] = []
    for log_prob in log_probs:
        if not math.isfinite(log_prob) or log_prob > _ROUNDING:
            raise ValueError(f"{log_prob} is no log-probability of a possible text")
        total.append(min(log_prob, 0.0))
    return -math.fsum(total) / math.log(2), float(size)
