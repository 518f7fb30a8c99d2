"""Next-token cross-entropy in pieces, so that logits are never whole in memory.

Lives here: the sum over a long batch with its gradient. Each piece's logits are turned into their
gradient at once, while they are there, and only the products with it are kept (B T x D and V x D
values instead of B T x V): nothing is computed twice. Sums go over float32.

Shape legend as in ``model``: N = B * T positions, D width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK_LOGITS = 2**26
"""Logits of one piece (256 MiB in float32), and what a batch must exceed to be cut."""


def summed_cross_entropy(
    hidden_ND: Tensor, weight_VD: Tensor, targets_N: Tensor, ignore: int, limit: int = CHUNK_LOGITS
) -> Tensor:
    """Return the summed cross-entropy in nats, a float32 scalar; at most ``limit`` logits at once."""
    return _Chunked.apply(hidden_ND, weight_VD, targets_N, ignore, limit)


class _Chunked(torch.autograd.Function):
    """The gradient is linear in what comes from behind, so it can be made on the way forward."""

    @staticmethod
    def forward(
        ctx: Any, hidden_ND: Tensor, weight_VD: Tensor, targets_N: Tensor, ignore: int, limit: int
    ) -> Tensor:
        """Sum the losses; keep both gradients for a loss of weight 1."""
        weight = weight_VD.to(hidden_ND.dtype)
        rows = max(1, limit // weight.shape[0])
        total = torch.zeros((), dtype=torch.float32, device=hidden_ND.device)
        to_hidden = torch.empty_like(hidden_ND)
        to_weight = torch.zeros_like(weight_VD, dtype=torch.float32)
        for start in range(0, hidden_ND.shape[0], rows):
            piece = slice(start, start + rows)
            hidden, targets = hidden_ND[piece], targets_N[piece]
            counted = targets != ignore
            logs = F.linear(hidden, weight).float().log_softmax(-1)
            total += F.nll_loss(logs, targets, ignore_index=ignore, reduction="sum")
            at = targets.where(counted, 0).unsqueeze(1)
            slope = logs.exp_().scatter_add_(1, at, logs.new_full(at.shape, -1.0))
            slope = slope.mul_(counted.unsqueeze(1)).to(hidden.dtype)
            to_hidden[piece] = slope @ weight
            to_weight += slope.T @ hidden
        ctx.save_for_backward(to_hidden, to_weight.to(weight_VD.dtype))
        return total

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        """Scale what was kept."""
        to_hidden, to_weight = ctx.saved_tensors
        (slope,) = slopes
        return to_hidden * slope.to(to_hidden.dtype), to_weight * slope, None, None, None
