"""Counted by torch on a real forward and backward pass, and as the design's table has it."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from training.commands.train import find_recipe
from training.model import Decoder
from training.recipe import ModelRecipe
from training.speed.flops import flops_a_position, matrix_weights
from training.speed.peak import known_peak, measured_peak


@pytest.mark.parametrize(("heads", "head_dim", "length"), [(4, 16, 128), (2, 48, 64)])
def test_formula_is_what_torch_counts(heads: int, head_dim: int, length: int) -> None:
    shape = ModelRecipe(
        vocabulary=500, width=64, layers=3, heads=heads, kv_heads=2, head_dim=head_dim, ffn=160,
        context=256,
    )  # fmt: skip
    model, ids = Decoder(shape), torch.randint(0, 500, (2, length))
    with FlopCounterMode(display=False) as counter:
        model.loss(ids, ids).backward()
    ours = ids.numel() * flops_a_position(shape, length)
    assert counter.get_total_flops() == pytest.approx(ours, rel=1e-6)


def test_table_of_the_design() -> None:
    for name, millions in (("xs", 58), ("s", 151)):
        assert flops_a_position(find_recipe(name).model, 1024) / 1e6 == pytest.approx(
            millions, abs=0.6
        )


def test_frozen_weights_cost_no_gradient_of_theirs() -> None:
    shape = find_recipe("xs").model
    less = flops_a_position(shape, 512) - flops_a_position(shape, 512, a_weight=4)
    assert less == 2 * matrix_weights(shape)


@pytest.mark.parametrize(
    ("name", "tera"),
    [
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H200", 989),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("NVIDIA L4", 121),
        ("NVIDIA L40S", 362),
        ("NVIDIA GeForce RTX 4090", 165),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA GeForce RTX 4090 D", None),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", None),
        ("Some Card", None),
    ],
)
def test_cards_are_known_by_their_names(name: str, tera: int | None) -> None:
    peak = known_peak(name)
    assert peak == (tera * 1e12 if tera else None)


def test_cpu_is_measured_near_what_a_product_takes() -> None:
    """A larger product cannot be far faster than the peak that was found."""
    peak = measured_peak(torch.device("cpu"), torch.float32)
    assert 1e9 < peak < 1e14
