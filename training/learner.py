"""The decoder with the heads beside it, and the gradient of one update.

Lives here: how the objectives' losses become one. Each head's loss is the mean over its own
labels in the whole update, over all micro-batches and processes, times its weight; so it depends
neither on how the update is divided nor on how many positions have a label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule

from training.data.rows import Batch
from training.distributed import Group
from training.model import Decoder
from training.objectives.heads import Head, head_weights, make_heads
from training.recipe import LoopRecipe, ModelRecipe, ObjectivesRecipe

if TYPE_CHECKING:
    from training.adapters.decoder import AdaptedDecoder

SumsOf = Callable[..., Tensor]
"""``Learner.sums``, or what ``torch.compile`` makes of it."""


class Learner(nn.Module):
    """What is trained: ``decoder``, which is kept, and ``heads``, which are not."""

    def __init__(
        self,
        model: ModelRecipe,
        objectives: ObjectivesRecipe,
        decoder: AdaptedDecoder | None = None,
    ) -> None:
        """Build both; the decoder's weights do not depend on the heads there are.

        ``decoder`` is one with adapters, of the shape ``model``, in the place of a new one.
        """
        super().__init__()
        self.decoder: Decoder | AdaptedDecoder = Decoder(model) if decoder is None else decoder
        self.heads = make_heads(objectives, model.width)
        self.weights = head_weights(objectives)

    def sums(self, ids_BT: Tensor, targets_BT: Tensor, *labels_BT: Tensor) -> Tensor:
        """Return the summed losses in float32: the next token's in nats, then each head's."""
        return self.sums_behind(self.decoder.model(ids_BT), targets_BT, *labels_BT)

    def sums_behind(self, hidden: Tensor, targets_BT: Tensor, *labels_BT: Tensor) -> Tensor:
        """Return :meth:`sums` for the trunk's hidden states (B, T, D)."""
        out = [self.decoder.loss_of(hidden, targets_BT)]
        for name, labels in zip(self.weights, labels_BT, strict=True):
            out.append(self.head(name).loss(hidden, labels))
        return torch.stack(out)

    def head(self, name: str) -> Head:
        """Return one head."""
        return cast(Head, self.heads[name])


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one update, over all processes."""

    nats: float
    """Of the next token, summed."""
    means: dict[str, float]
    """Of each head, over its own labels and before its weight."""


def accumulate(
    learner: Learner,
    sums_of: SumsOf,
    batches: Sequence[Batch],
    group: Group,
    loop: LoopRecipe,
    device: torch.device,
) -> Losses:
    """Leave the gradient of one update in the parameters, the same on every process.

    ``batches`` are this process's micro-batches; the next token's loss is divided by the tokens of
    the whole update, padding included.
    """
    names = list(learner.weights)
    counts = [float(sum(learner.head(n).count(b.labels[n]) for b in batches)) for n in names]
    if names:
        counts = group.sums(*counts)
    weights = learner.weights.values()
    divisors = [float(loop.batch_tokens)]
    divisors += [max(1.0, c) / weight for c, weight in zip(counts, weights, strict=True)]
    divisor = torch.tensor(divisors, device=device)
    totals = [0.0] * len(divisors)
    for left, batch in reversed(list(enumerate(reversed(batches)))):
        if group.sharded:  # slices of the gradient are sent once, with the last micro-batch
            cast(FSDPModule, learner).set_requires_gradient_sync(left == 0)
        inputs = (batch.ids, batch.targets, *(batch.labels[n] for n in names))
        inputs = [t.to(device, non_blocking=True) for t in inputs]
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=loop.bfloat16):
            sums = sums_of(*inputs)
        (sums / divisor).sum().backward()
        totals = [a + b for a, b in zip(totals, sums.detach().tolist(), strict=True)]
    nats, *errors = group.sums(*totals)
    if not group.sharded:
        group.sum_gradients(learner.parameters())
    means = {n: e / max(1.0, c) for n, e, c in zip(names, errors, counts, strict=True)}
    return Losses(nats, means)
