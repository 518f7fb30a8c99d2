"""A tiny learner with all heads, and batches whose numbers of labels differ."""

from __future__ import annotations

import torch

from completion.syntax.token_types import TYPES
from training.data.rows import Batch
from training.learner import Learner
from training.model import IGNORE
from training.objectives import horizon, next_type
from training.recipe import LoopRecipe, ModelRecipe, ObjectivesRecipe

MODEL = ModelRecipe(
    vocabulary=60, width=16, layers=1, heads=2, kv_heads=1, head_dim=8, ffn=24, context=32
)
ROWS, LENGTH = 3, 20
ALL = ObjectivesRecipe()


def learner_of(objectives: ObjectivesRecipe = ALL) -> Learner:
    """The same weights in every process, those of the heads not at zero."""
    torch.manual_seed(5)
    learner = Learner(MODEL, objectives)
    for head in learner.heads.parameters():
        torch.nn.init.normal_(head, std=0.3)
    return learner


def loop_of() -> LoopRecipe:
    size = ROWS * LENGTH
    return LoopRecipe(batch_tokens=2 * size, micro_tokens=size, bfloat16=False, compile=False)


def batch(seed: int) -> Batch:
    """Batch 0 has a label almost everywhere, the others at fewer positions each."""
    rng = torch.Generator().manual_seed(seed)
    shape = (ROWS, LENGTH)
    ids = torch.randint(0, MODEL.vocabulary, shape, generator=rng)
    targets = torch.randint(0, MODEL.vocabulary, shape, generator=rng)
    targets[torch.rand(shape, generator=rng) < 0.2] = IGNORE
    share = torch.rand(shape, generator=rng)
    share[torch.rand(shape, generator=rng) < 0.1 + 0.6 * seed] = horizon.MASKED
    types = torch.randint(0, len(TYPES), shape, generator=rng)
    types[torch.rand(shape, generator=rng) < 0.1 + 0.3 * seed] = next_type.MASKED
    return Batch(ids, targets, {"horizon": share, "next_type": types})
