"""Horizon-length prediction: how much of the middle is still to come.

Ding et al., arXiv 2410.03103: at the t-th of M middle tokens a linear layer on the last hidden
state says (M - t) / M, L1, weight 0.1. The last of these positions is the one that predicts the
end. The head is dropped at export.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

MASKED = -1.0
"""The label of a position that is not in a middle; true ones lie in [0, 1)."""


def horizon_labels(ids: Sequence[int], middle_bytes: int, sizes: Sequence[int]) -> list[float]:
    """Label an example whose last id is the end and whose middle stands right before it.

    ``sizes`` has the bytes of every id, 0 for a sentinel. Label i is what the position before
    token i should say, as a target is. The middle has the tokens that reach into its last
    ``middle_bytes`` bytes: in SPM a token that straddles the cut is its first. An empty middle
    labels only the position that predicts the end, with 0; one whose beginning a limit cut off
    labels nothing, because its length is not known from what is left.
    """
    labels = [MASKED] * len(ids)
    last = len(ids) - 1
    total, left = 0, middle_bytes
    while left > 0:
        size = sizes[ids[last - 1 - total]] if total < last else 0
        if size == 0:
            return labels
        left -= size
        total += 1
    first = last - total
    for done in range(1, total + 1):
        labels[first + done] = (total - done) / total
    if not total:
        labels[last] = 0.0
    return labels


class HorizonHead(nn.Module):
    """A linear layer from the width to one number a position; it starts at the labels' mean."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, width))
        self.bias = nn.Parameter(torch.full((1,), 0.5))

    def forward(self, hidden_BTD: Tensor) -> Tensor:
        """Return the share to come (B, T), in float32: bfloat16 is coarser than a long middle."""
        return (hidden_BTD.float() * self.weight[0].float()).sum(-1) + self.bias.float()

    def loss(self, hidden_BTD: Tensor, labels_BT: Tensor) -> Tensor:
        """Return the summed absolute error over labels other than :data:`MASKED`."""
        error = (self(hidden_BTD) - labels_BT).abs()
        return (error * (labels_BT > MASKED)).sum()

    @staticmethod
    def count(labels_BT: Tensor) -> int:
        """Return how many labels carry loss."""
        return int((labels_BT > MASKED).sum())
