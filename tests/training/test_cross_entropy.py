"""In pieces as in one: loss, gradients, and how much is in memory at once."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from training import model as module
from training.cross_entropy import summed_cross_entropy
from training.model import IGNORE, Decoder
from training.recipe import Recipe


@pytest.mark.parametrize("limit", [50, 333, 10**9])
def test_loss_and_gradients_are_those_of_the_whole(limit: int) -> None:
    torch.manual_seed(0)
    hidden = torch.randn(37, 16, requires_grad=True)
    weight = torch.randn(50, 16, requires_grad=True)
    targets = torch.randint(0, 50, (37,))
    targets[::5] = IGNORE
    logits = F.linear(hidden, weight)
    whole = F.cross_entropy(logits, targets, ignore_index=IGNORE, reduction="sum")
    parts = summed_cross_entropy(hidden, weight, targets, IGNORE, limit)
    assert parts.item() == pytest.approx(whole.item(), rel=1e-6)
    expected = torch.autograd.grad(whole * 0.3, (hidden, weight))
    for ours, theirs in zip(
        torch.autograd.grad(parts * 0.3, (hidden, weight)), expected, strict=True
    ):
        assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_long_batch_goes_in_pieces_and_learns_the_same(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No tensor of the whole batch's logits is made; gradients under autocast stay near."""
    torch.manual_seed(0)
    decoder = Decoder(recipe.model)
    ids = torch.randint(0, 400, (4, 64))
    sizes: list[int] = []
    linear = F.linear

    def noted(x: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        out = linear(x, *rest)
        sizes.append(out.numel() if out.shape[-1] == 400 else 0)
        return out

    def gradients() -> tuple[float, list[torch.Tensor]]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = decoder.loss(ids, ids)
        return loss.item(), list(torch.autograd.grad(loss, list(decoder.parameters())))

    whole, expected = gradients()
    monkeypatch.setattr(module, "CHUNK_LOGITS", 10_000)
    monkeypatch.setattr(F, "linear", noted)
    parts, ours = gradients()
    assert 0 < max(sizes) <= 10_000
    assert parts == pytest.approx(whole, rel=1e-4)
    for a, b in zip(ours, expected, strict=True):
        assert (a - b).norm() <= 0.02 * b.norm()


def test_pieces_are_one_graph() -> None:
    hidden, weight = torch.randn(20, 8, requires_grad=True), torch.randn(30, 8, requires_grad=True)
    targets = torch.randint(0, 30, (20,))
    compiled = torch.compile(summed_cross_entropy, dynamic=False, fullgraph=True, backend="eager")
    a = compiled(hidden, weight, targets, IGNORE, 100)
    b = summed_cross_entropy(hidden, weight, targets, IGNORE, 100)
    assert a.item() == pytest.approx(b.item(), rel=1e-6)
    for x, y in zip(torch.autograd.grad(a, (hidden, weight)), torch.autograd.grad(b, (hidden, weight)),
                    strict=True):  # fmt: skip
        assert torch.allclose(x, y, rtol=1e-5, atol=1e-6)
