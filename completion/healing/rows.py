"""Rows of the law: what the model says behind the last positions of a prompt.

They leave the engine-core process with the request's first token, in the field that vLLM has for
scores of prompt positions, so that asking for them costs no message of its own. The adapters of
vLLM's two runners find the hidden states of a step; what is done with them is here, once. One place
decides the law, :func:`law_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from completion.engine.base import ROWS_KEY


def law_of(logits: Tensor) -> Tensor:
    """Return the law behind positions from the model's logits: log-probabilities, float32, (…, V)."""
    return torch.log_softmax(logits.float(), dim=-1)


def wanted_by(params: Any) -> int:
    """Return how many of its prompt's last positions a request wants, from its sampling parameters."""
    extra = getattr(params, "extra_args", None)
    return int(extra.get(ROWS_KEY, 0)) if extra else 0


class RowCollector:
    """Gathers the rows of requests whose prompt may be read in several steps.

    A position that was found in the prefix cache is never computed; its row is NaN, and whoever
    wants it asks for a prompt that ends there.
    """

    def __init__(self) -> None:
        self._parts: dict[str, Tensor] = {}

    def take(
        self,
        name: str,
        wanted: int,
        prompt_tokens: int,
        start: int,
        size: int,
        logits: Callable[[int, int], Tensor],
    ) -> Tensor | None:
        """Take a step that computed the positions ``start`` to ``start + size`` of the request ``name``.

        ``logits(a, b)`` gives the logits behind the step's positions a to b, (b - a, V). Returns the
        rows of the last ``wanted`` of ``prompt_tokens`` positions, (wanted, V), with the step that
        computes the last of them.
        """
        first = max(0, prompt_tokens - wanted)
        low, high = max(first, start), min(prompt_tokens, start + size)
        if low >= high:
            return None
        rows = law_of(logits(low - start, high - start))
        if (low, high) == (first, prompt_tokens):
            return rows
        held = self._parts.get(name)
        if held is None or held.shape[0] != prompt_tokens - first:
            held = rows.new_full((prompt_tokens - first, rows.shape[1]), float("nan"))
            self._parts[name] = held
        held[low - first : high - first] = rows
        return self._parts.pop(name) if high == prompt_tokens else None

    def forget(self, name: str) -> None:
        """Drop what was gathered for a request that ended before its prompt was read."""
        self._parts.pop(name, None)

    def __len__(self) -> int:
        """Return how many requests are half read."""
        return len(self._parts)
