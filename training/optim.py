"""Muon on hidden matrices, AdamW on embeddings and norms, one schedule, an average of the tail.

Lives here: which parameter belongs to which optimiser and how rates move with the run's progress.
Muon: Jordan et al. 2024 and Liu et al., arXiv 2502.16982. It knows nothing of data or files.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from training.recipe import OptimRecipe
from training.sharding import ShardedMuon, like, whole_state


def groups_of(model: nn.Module) -> dict[str, list[tuple[str, nn.Parameter]]]:
    """Sort parameters into ``muon`` (2-D, hidden), ``embedding`` (heads too), ``norm``, ``adapter``.

    Adapters' matrices are no hidden matrices of full rank, which Muon is for: AdamW steps them.
    """
    names = ("muon", "embedding", "norm", "adapter")
    out: dict[str, list[tuple[str, nn.Parameter]]] = {name: [] for name in names}
    for name, parameter in model.named_parameters():
        if name.startswith("decoder.adapter."):
            out["adapter"].append((name, parameter))
        elif "embed_tokens" in name or "lm_head" in name or name.startswith("heads."):
            out["embedding"].append((name, parameter))
        elif parameter.ndim == 2:
            out["muon"].append((name, parameter))
        else:
            out["norm"].append((name, parameter))
    return out


class Optimizers:
    """Both optimisers as one: step, rates, state."""

    def __init__(self, model: nn.Module, recipe: OptimRecipe, adapter_lr: float = 0.0) -> None:
        """Take the parameters of ``model``; ``adapter_lr`` is the rate of adapters in it."""
        groups = {k: [p for _, p in v] for k, v in groups_of(model).items()}
        sharded = any(isinstance(p, DTensor) for p in groups["muon"])
        adamw = torch.optim.AdamW(
            [
                {"params": groups["embedding"], "lr": recipe.embedding_lr},
                {"params": groups["norm"], "lr": recipe.norm_lr},
                *([{"params": groups["adapter"], "lr": adapter_lr}] if groups["adapter"] else []),
            ],
            betas=recipe.betas,
            eps=1e-10,
            weight_decay=0.0,
        )
        self._all: tuple[torch.optim.Optimizer, ...] = (adamw,)
        if groups["muon"]:
            muon = (ShardedMuon if sharded else torch.optim.Muon)(
                groups["muon"],
                lr=recipe.muon_lr,
                momentum=recipe.muon_momentum,
                weight_decay=recipe.muon_weight_decay,
            )
            self._all = (muon, adamw)
        self._rates = [[g["lr"] for g in o.param_groups] for o in self._all]

    def step(self, scale: float) -> None:
        """Update with every base rate times ``scale``, then drop the gradients."""
        for optimizer, rates in zip(self._all, self._rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * scale
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """Return both states, whole; of a sharded model every process must ask."""
        return [whole_state(o.state_dict()) for o in self._all]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Take back what :meth:`state_dict` returned; rates and the like stay the recipe's."""
        for optimizer, saved in zip(self._all, states, strict=True):
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            laid = {
                at: {
                    name: like(value, parameters[at]) if value.ndim else value
                    for name, value in values.items()
                }
                for at, values in saved["state"].items()
            }
            ours = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": laid, "param_groups": ours})


def rate_scale(recipe: OptimRecipe, *, step: int, progress: float) -> float:
    """Return the factor on all rates: warm-up by steps, constant, linear decay by ``progress``.

    ``step`` counts from 0; ``progress`` is the share of the budget used, 0 to 1.
    """
    warm = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
    if recipe.decay_share <= 0:
        return warm
    left = min(1.0, max(0.0, (1.0 - progress) / recipe.decay_share))
    return warm * (recipe.final_share + (1.0 - recipe.final_share) * left)


class TailAverage:
    """An exponential average of the weights over the end of a run, in float32."""

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self.weights: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take the current weights in; the first call copies them."""
        for name, parameter in model.named_parameters():
            value = parameter.detach()
            if name in self.weights:
                self.weights[name].lerp_(value, 1.0 - self._decay)
            else:
                self.weights[name] = value.clone()
