from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from completion.errors import UsageError
from training import model as module
from training.commands.train import find_recipe
from training.model import IGNORE, Decoder, parameter_count
from training.recipe import Recipe


def test_sizes_are_the_designs() -> None:
    assert parameter_count(Decoder(find_recipe("xs").model)) / 1e6 == pytest.approx(6.5, abs=0.05)
    assert parameter_count(Decoder(find_recipe("s").model)) / 1e6 == pytest.approx(18.9, abs=0.05)


def test_position_does_not_see_what_follows(recipe: Recipe) -> None:
    torch.manual_seed(0)
    model = Decoder(recipe.model).eval()
    ids = torch.randint(0, recipe.model.vocabulary, (1, 40))
    changed = ids.clone()
    changed[0, 25:] = 7
    a, b = model(ids), model(changed)
    assert torch.allclose(a[0, :25], b[0, :25], atol=1e-5)
    assert not torch.allclose(a[0, 25:], b[0, 25:], atol=1e-3)


def test_attention_spelled_out_equals_the_kernel(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = Decoder(recipe.model).eval()
    ids = torch.randint(0, recipe.model.vocabulary, (2, 64))
    explicit = model(ids)
    monkeypatch.setattr(module, "EXPLICIT_LENGTH", 0)
    assert torch.allclose(model(ids), explicit, atol=1e-4)


def test_ignored_targets_carry_no_loss(recipe: Recipe) -> None:
    torch.manual_seed(0)
    model = Decoder(recipe.model)
    ids = torch.randint(0, recipe.model.vocabulary, (2, 16))
    targets = ids.clone()
    targets[1] = IGNORE
    losses = model.losses(ids, targets).view(2, 16)
    assert torch.all(losses[1] == 0)
    assert model.loss(ids, targets).item() == pytest.approx(losses[0].sum().item(), rel=1e-5)


def test_heads_that_cannot_be_grouped_are_refused(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="multiple"):
        replace(recipe.model, heads=3)
