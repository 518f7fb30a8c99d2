from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from training.model import Decoder
from training.optim import Optimizers, TailAverage, groups_of, rate_scale
from training.recipe import OptimRecipe, Recipe


def test_every_parameter_is_in_exactly_one_group(recipe: Recipe) -> None:
    model = Decoder(recipe.model)
    groups = groups_of(model)
    names = [n for group in groups.values() for n, _ in group]
    assert sorted(names) == sorted(n for n, _ in model.named_parameters())
    assert [n for n, _ in groups["embedding"]] == ["model.embed_tokens.weight"]
    assert all(p.ndim == 2 and "proj" in n for n, p in groups["muon"])
    assert all("norm" in n for n, _ in groups["norm"])


def test_muon_steps_are_orthogonal_and_adamw_steps_are_not(recipe: Recipe) -> None:
    """Muon turns a square matrix by about its rate in every direction, whatever the gradient."""
    optim = replace(recipe.optim, muon_weight_decay=0.0)
    model = Decoder(recipe.model)
    weight = dict(model.named_parameters())["model.layers.0.self_attn.q_proj.weight"]
    before = weight.detach().clone()
    torch.manual_seed(0)
    for p in model.parameters():
        p.grad = torch.randn_like(p) * torch.rand(p.shape[-1])
    Optimizers(model, optim).step(1.0)
    values = torch.linalg.svdvals(before - weight.detach())
    assert values[0] / values[-3] < 2.5, "a step turns all directions alike"
    assert values.mean().item() == pytest.approx(optim.muon_lr, rel=0.4)
    assert weight.grad is None


def test_schedule_warms_up_holds_and_decays_to_its_last_share() -> None:
    recipe = OptimRecipe(warmup_steps=10, decay_share=0.5, final_share=0.05)
    assert rate_scale(recipe, step=0, progress=0.0) == pytest.approx(0.1)
    assert rate_scale(recipe, step=9, progress=0.01) == 1.0
    assert rate_scale(recipe, step=500, progress=0.5) == 1.0
    assert rate_scale(recipe, step=500, progress=0.75) == pytest.approx(0.525)
    assert rate_scale(recipe, step=500, progress=1.0) == pytest.approx(0.05)
    assert rate_scale(recipe, step=500, progress=1.2) == pytest.approx(0.05)


def test_schedule_without_decay_stays_up() -> None:
    assert rate_scale(OptimRecipe(decay_share=0.0), step=1000, progress=1.0) == 1.0


def test_tail_average_moves_by_its_decay() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    average = TailAverage(0.75)
    for value in (1.0, 3.0, 3.0):
        torch.nn.init.constant_(model.weight, value)
        average.update(model)
    assert average.weights["weight"].item() == pytest.approx(1 + 0.5 + 0.375)


def test_state_goes_on_with_the_same_steps(recipe: Recipe) -> None:
    def steps(model: Decoder, optimizers: Optimizers, seeds: range) -> None:
        for seed in seeds:
            torch.manual_seed(seed)
            for p in model.parameters():
                p.grad = torch.randn_like(p)
            optimizers.step(0.5)

    torch.manual_seed(1)
    whole = Decoder(recipe.model)
    parted = Decoder(recipe.model)
    parted.load_state_dict(whole.state_dict())
    steps(whole, Optimizers(whole, recipe.optim), range(6))
    first = Optimizers(parted, recipe.optim)
    steps(parted, first, range(3))
    second = Optimizers(parted, recipe.optim)
    second.load_state_dict(first.state_dict())
    steps(parted, second, range(3, 6))
    for a, b in zip(whole.parameters(), parted.parameters(), strict=True):
        assert torch.equal(a, b)
