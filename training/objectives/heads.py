"""The heads of a run: which objectives have one, what their labels are masked with.

Lives here: the one table of light heads. A head is a module of the width with ``loss`` (the sum
over its labels) and ``count`` (how many carry loss); its labels travel with the token ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from training.objectives import horizon, next_type
from training.recipe import ObjectivesRecipe


class Head(Protocol):
    """What the loop knows of a head."""

    def loss(self, hidden_BTD: Tensor, labels_BT: Tensor) -> Tensor:
        """Return the summed loss, a scalar in float32."""
        ...

    def count(self, labels_BT: Tensor) -> int:
        """Return how many labels carry loss."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One entry of :data:`HEADS`."""

    make: Callable[[int, ObjectivesRecipe], nn.Module]
    """From the width and what the recipe says of it."""
    masked: float | int
    """The label that carries no loss."""
    dtype: torch.dtype


HEADS: dict[str, Kind] = {
    "horizon": Kind(
        make=lambda width, recipe: horizon.HorizonHead(width, horizon.FORMS[recipe.horizon_form]),
        masked=horizon.MASKED,
        dtype=torch.float32,
    ),
    "next_type": Kind(
        make=lambda width, _: next_type.TypeHead(width),
        masked=next_type.MASKED,
        dtype=torch.int64,
    ),
}
"""By the name of the weight in ``[objectives]``; the order is that of losses and labels."""


def head_weights(recipe: ObjectivesRecipe) -> dict[str, float]:
    """Return the weight of every head that a run has."""
    weights = {name: float(getattr(recipe, name)) for name in HEADS}
    return {name: weight for name, weight in weights.items() if weight > 0}


def make_heads(recipe: ObjectivesRecipe, width: int) -> nn.ModuleDict:
    """Return the heads of a run, at zero: no random number is drawn for them."""
    return nn.ModuleDict({name: HEADS[name].make(width, recipe) for name in head_weights(recipe)})
