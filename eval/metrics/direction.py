"""Which way is better; the one list of metrics of which less is."""

from __future__ import annotations

_LESS = ("bits_per_byte", "perplexity", "repeats_suffix", "recomputed", "_ms", "wrong_edit",
         "model_requests")  # fmt: skip
"""A metric is one of them when its name contains one of these."""


def less_is_better(metric: str) -> bool:
    """Tell whether a smaller figure of ``metric`` is the better one."""
    return any(word in metric for word in _LESS)
