"""Weights in eight bits, in the form of compressed-tensors that vLLM's CPU and CUDA builds run.

Lives here: W8A8. Each output row of a projection has one scale; each token's activations get
theirs while the engine runs. Embeddings (tied with the output layer) and norms stay in bfloat16,
because the form has no such kernels for them. Weights alone in eight bits (W8A16) have no kernel
in vLLM's CPU build.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

LEVELS = 127
"""The largest value of a symmetric scale of eight bits."""
CONFIG: dict[str, Any] = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "ignore": ["lm_head"],
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {
                "num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel",
                "dynamic": False,
            },
            "input_activations": {
                "num_bits": 8, "type": "int", "symmetric": True, "strategy": "token",
                "dynamic": True,
            },
        }
    },
}  # fmt: skip
"""``quantization_config`` in ``config.json``."""


def quantise(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return whole numbers (…, N) in float32 from -127 to 127, and the scale (…, 1) of each row."""
    exact = values.float()
    scale = exact.abs().amax(-1, keepdim=True).clamp(min=1e-8) / LEVELS
    return (exact / scale).round().clamp(-LEVELS, LEVELS), scale


def quantised(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a model folder: projections as int8 with ``weight_scale`` beside each."""
    out: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if _is_projection(name):
            whole, scale = quantise(weight)
            out[name], out[f"{name}_scale"] = whole.to(torch.int8), scale
        else:
            out[name] = weight.to(torch.bfloat16).contiguous()
    return out


def imitate(model: nn.Module) -> None:
    """Make the projections of ``model`` compute as the int8 kernels do, to measure what is lost."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and _is_projection(f"{name}.weight"):
            whole, scale = quantise(module.weight.data)
            module.weight.data = whole * scale
            module.register_forward_pre_hook(_rounded)


def _rounded(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    whole, scale = quantise(inputs[0])
    return ((whole * scale).to(inputs[0].dtype), *inputs[1:])


def _is_projection(name: str) -> bool:
    return name.endswith("_proj.weight")
