"""One update: gradient, check, clip, step, average.

Lives here: the order within an update, and that weights are only ever changed by a finite one. It
knows nothing of files and of when a run ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.data.rows import Batch
from training.distributed import Group
from training.learner import Losses, SumsOf, accumulate
from training.model import IGNORE
from training.optim import rate_scale
from training.recipe import Recipe
from training.run.keeping import Moving
from training.sharding import whole
from training.speed.flops import flops_a_position


class Diverged(Exception):
    """The run cannot go on; the message says what was seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What one update saw, over all processes."""

    losses: Losses
    targets: int
    """Tokens with loss."""
    bytes: int
    """Of the targets."""
    flops: float
    """Operations of the model, padding included."""
    gradient_norm: float
    """Before clipping."""
    rate_scale: float

    @property
    def loss(self) -> float:
        """Nats a token."""
        return self.losses.nats / max(1, self.targets)

    @property
    def bits_per_byte(self) -> float:
        """Of the text that was trained on."""
        return self.losses.nats / math.log(2) / max(1, self.bytes)


class Updater:
    """Takes batches from the stream and steps; moves the position."""

    def __init__(
        self,
        recipe: Recipe,
        device: torch.device,
        group: Group,
        moving: Moving,
        *,
        micros: int,
        sizes: Tensor,
    ) -> None:
        """``micros`` batches make this process's share; ``sizes`` has the bytes of every token."""
        self._recipe, self._device, self._group, self._moving = recipe, device, group, moving
        self._micros, self._sizes = micros, sizes

    def step(self, sums_of: SumsOf) -> Update:
        """Make one update with the losses of ``sums_of``.

        Raises:
            Diverged: its loss or gradient is not finite; the weights are as they were.
        """
        recipe, moving, here = self._recipe, self._moving, self._moving.position
        batches = [moving.stream.next() for _ in range(self._micros)]
        counted = [b.targets[b.targets != IGNORE] for b in batches]
        targets: float = sum(c.numel() for c in counted)
        size: float = sum(int(self._sizes[c].sum()) for c in counted)
        losses = accumulate(
            moving.learner, sums_of, batches, self._group, recipe.loop, self._device
        )
        targets, size, flops = self._group.sums(targets, size, self._flops(batches))
        norm = self._checked_norm(losses)
        torch.nn.utils.clip_grads_with_norm_(moving.learner.parameters(), recipe.optim.clip, norm)
        scale = rate_scale(recipe.optim, step=here.step, progress=here.progress(recipe.budget))
        moving.optimizers.step(scale)
        here.step += 1
        here.tokens += round(targets)
        tail = recipe.optim.ema_share
        if tail > 0 and here.progress(recipe.budget) >= 1 - tail:
            moving.average.update(moving.learner.decoder)
        return Update(
            losses=losses,
            targets=round(targets),
            bytes=round(size),
            flops=flops,
            gradient_norm=float(norm),
            rate_scale=scale,
        )

    def _checked_norm(self, losses: Losses) -> Tensor:
        """The norm of the whole gradient, known to be finite as the losses are."""
        parameters = self._moving.learner.parameters()
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = whole(torch.nn.utils.get_total_norm(gradients))
        said = {"loss": losses.nats, **losses.means, "gradient": float(norm)}
        for name, value in said.items():
            if not math.isfinite(value):
                step = self._moving.position.step + 1
                raise Diverged(f"the {name} is not finite in update {step}, which was not made")
        return norm

    def _flops(self, batches: list[Batch]) -> float:
        shape, a_weight = self._recipe.model, 4 if self._recipe.lora else 6
        return sum(
            b.ids.numel() * flops_a_position(shape, b.ids.shape[1], a_weight=a_weight)
            for b in batches
        )
