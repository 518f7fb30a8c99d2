"""Rows of the law: what the model says behind the last positions of a prompt.

They leave the engine-core process with the request's first token, in the field that vLLM has for
scores of prompt positions, so that asking for them costs no message of its own. The adapters of
vLLM's two runners find the hidden states of a step; what is done with them is here, once. One place
decides the law, :func:`law_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from completion.engine.base import ROWS_KEY


def law_of(logits: Tensor) -> Tensor:
    """Return the law behind positions from the model's logits: log-probabilities, float32, (…, V)."""
    return torch.log_softmax(logits.float(), dim=-1)


def wanted_by(params: Any) -> tuple[int, int]:
    """Return :attr:`Sampling.rows` of a request from vLLM's sampling parameters."""
    extra = getattr(params, "extra_args", None)
    first, without = (extra or {}).get(ROWS_KEY, (0, 0))
    return first, without


@dataclass(frozen=True, slots=True)
class Part:
    """What one step computes of the rows that a request wants."""

    name: str
    wanted: tuple[int, int]
    """Positions of the prompt, half open."""
    computed: tuple[int, int]
    """Those among them that this step has computed; empty in a step between."""
    ends: bool
    """Whether the prompt is read with this step."""

    def __len__(self) -> int:
        """Return how many rows the step computes."""
        return self.computed[1] - self.computed[0]


def part_of(
    name: str, rows: tuple[int, int], prompt_tokens: int, start: int, size: int
) -> Part | None:
    """Return what a step that reads ``size`` positions from ``start`` on gives of ``rows``.

    ``None`` where nothing is wanted, or the prompt has been read before.
    """
    if rows[0] <= rows[1] or start >= prompt_tokens:
        return None
    wanted = (max(0, prompt_tokens - rows[0]), prompt_tokens - rows[1])
    low = max(wanted[0], start)
    high = max(low, min(wanted[1], start + size))
    return Part(name, wanted, (low, high), start + size >= prompt_tokens)


class RowCollector:
    """Gathers the rows of requests whose prompt may be read in several steps.

    A position that was found in the prefix cache is never computed; its row is NaN, and whoever
    wants it asks for a prompt that ends there.
    """

    def __init__(self) -> None:
        self._held: dict[str, Tensor] = {}

    def take(self, parts: Sequence[Part], logits: Tensor | None) -> dict[str, Tensor]:
        """Take a step; return the rows of the requests whose prompts it completes, by name.

        ``logits``: behind the positions of the parts, one part after the other, (rows, V); ``None``
        where they have none. A request none of whose positions was ever computed has no rows.
        """
        laws = None if logits is None else law_of(logits)
        done: dict[str, Tensor] = {}
        at = 0
        for part in parts:
            held = self._held.pop(part.name, None)
            if laws is not None and len(part):
                held = self._put(part, held, laws[at : at + len(part)])
                at += len(part)
            if held is not None:
                (done if part.ends else self._held)[part.name] = held
        return done

    def _put(self, part: Part, held: Tensor | None, rows: Tensor) -> Tensor:
        if part.computed == part.wanted:
            return rows
        (first, last), (low, high) = part.wanted, part.computed
        if held is None:
            held = rows.new_full((last - first, rows.shape[1]), float("nan"))
        held[low - first : high - first] = rows
        return held

    def forget(self, name: str) -> None:
        """Drop what was gathered for a request that ended before its prompt was read."""
        self._held.pop(name, None)

    def __len__(self) -> int:
        """Return how many requests are half read."""
        return len(self._held)
