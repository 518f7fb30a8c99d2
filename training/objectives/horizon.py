"""Horizon-length prediction: how much of the middle is still to come.

Ding et al., arXiv 2410.03103: at the t-th of M middle tokens a linear layer on the last hidden
state says (M - t) / M, L1, weight 0.1. The last of these positions is the one that predicts the
end. The head is dropped at export. :data:`FORMS` has the paper's form and two to hold against it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

MASKED = -1.0
"""The label of a position that is not in a middle; true ones are 0 or more."""
LOG_UNIT = 8
"""Doublings of the tokens to come that a logarithmic label of 1 stands for: 255 of them, more than
all but the longest middles have."""

Target = Callable[[int, int], float]
"""From the tokens left behind this one and all tokens of the middle to the label."""


def share_to_come(left: int, total: int) -> float:
    """Return (M - t) / M, the paper's target: 0 at the end of any middle, below 1."""
    return left / total


def log_remaining(left: int, total: int) -> float:
    """Return log1p(M - t) in units of :data:`LOG_UNIT` doublings: 0 at the end, 1/8 a token before.

    A share moves most in short middles, where a token is a large part; this moves with how near
    the end is, whatever the middle's length.
    """
    return math.log1p(left) / (LOG_UNIT * math.log(2))


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """What the head is asked and how it answers."""

    target: Target
    squashed: bool
    """Whether a sigmoid keeps the answer between 0 and 1, where the target is."""
    start: float
    """The answer before training: about the mean label of a middle of a line."""


FORMS: dict[str, Form] = {
    "linear": Form(target=share_to_come, squashed=False, start=0.5),
    "sigmoid": Form(target=share_to_come, squashed=True, start=0.5),
    "log_remaining": Form(target=log_remaining, squashed=False, start=0.3),
}
"""By ``objectives.horizon_form`` of a recipe. Errors are in the form's own units."""


def horizon_labels(
    ids: Sequence[int], middle_bytes: int, sizes: Sequence[int], target: Target = share_to_come
) -> list[float]:
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
        labels[first + done] = target(total - done, total)
    if not total:
        labels[last] = 0.0
    return labels


class HorizonHead(nn.Module):
    """A linear layer from the width to one number a position, squashed or not, of one form."""

    def __init__(self, width: int, form: Form = FORMS["linear"]) -> None:
        super().__init__()
        self._squashed = form.squashed
        start = math.log(form.start / (1 - form.start)) if form.squashed else form.start
        self.weight = nn.Parameter(torch.zeros(1, width))
        self.bias = nn.Parameter(torch.full((1,), start))

    def forward(self, hidden_BTD: Tensor) -> Tensor:
        """Return what is to come (B, T), in float32: bfloat16 is coarser than a long middle."""
        said = (hidden_BTD.float() * self.weight[0].float()).sum(-1) + self.bias.float()
        return said.sigmoid() if self._squashed else said

    def loss(self, hidden_BTD: Tensor, labels_BT: Tensor) -> Tensor:
        """Return the summed absolute error over labels other than :data:`MASKED`."""
        error = (self(hidden_BTD) - labels_BT).abs()
        return (error * (labels_BT > MASKED)).sum()

    @staticmethod
    def count(labels_BT: Tensor) -> int:
        """Return how many labels carry loss."""
        return int((labels_BT > MASKED).sum())
