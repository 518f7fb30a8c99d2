"""A Llama decoder with the parameter names of ``transformers``, so that export is a copy.

Lives here: the architecture and its loss. It knows nothing of text, files, FIM or optimisers.
SwiGLU, grouped-query attention, rotary positions, tied embeddings, RMS norm before each block;
nothing that a plain ``LlamaForCausalLM`` could not load.

Shape legend: B rows, T positions, D width, H heads, K key-value heads, E head size, V vocabulary.
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.cross_entropy import CHUNK_LOGITS, summed_cross_entropy
from training.recipe import ModelRecipe

NORM_EPS = 1e-5
"""Llama's epsilon; it is written into the exported config, so both sides stay equal."""
IGNORE = -100
"""The target of a position that carries no loss (padding)."""

EXPLICIT_LENGTH = 1024
"""Rows up to this length are 15 % faster on a CPU without the fused attention kernel."""


class RMSNorm(nn.Module):
    """Root-mean-square norm, computed in float32 (Zhang and Sennrich, arXiv 1910.07467)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Return ``x_BTD`` at unit scale, times the trained weight."""
        x32 = x_BTD.float()
        scale = torch.rsqrt(x32.pow(2).mean(-1, keepdim=True) + NORM_EPS)
        return (x32 * scale).to(x_BTD.dtype) * self.weight.to(x_BTD.dtype)


def rotary_tables(length: int, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of shape (length, head_dim), in Llama's half-split layout.

    Su et al., RoFormer, arXiv 2104.09864.
    """
    inverse = theta ** -(torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    angles = torch.outer(torch.arange(length, dtype=torch.float32), inverse)
    both = torch.cat((angles, angles), dim=-1)
    return both.cos(), both.sin()


def rotate(x_BHTE: Tensor, cos_TE: Tensor, sin_TE: Tensor) -> Tensor:
    """Apply rotary positions to queries or keys."""
    half = x_BHTE.shape[-1] // 2
    turned = torch.cat((-x_BHTE[..., half:], x_BHTE[..., :half]), dim=-1)
    return x_BHTE * cos_TE + turned * sin_TE


class Attention(nn.Module):
    """Causal self-attention with grouped keys and values (Ainslie et al., arXiv 2305.13245)."""

    def __init__(self, recipe: ModelRecipe) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = recipe.heads, recipe.kv_heads, recipe.head_dim
        inner, kv = recipe.heads * recipe.head_dim, recipe.kv_heads * recipe.head_dim
        self.q_proj = nn.Linear(recipe.width, inner, bias=False)
        self.k_proj = nn.Linear(recipe.width, kv, bias=False)
        self.v_proj = nn.Linear(recipe.width, kv, bias=False)
        self.o_proj = nn.Linear(inner, recipe.width, bias=False)

    def forward(self, x_BTD: Tensor, cos_TE: Tensor, sin_TE: Tensor) -> Tensor:
        """Return the mixed values (B, T, D)."""
        rows, length, _ = x_BTD.shape
        q = self.q_proj(x_BTD).view(rows, length, self.heads, self.head_dim).transpose(1, 2)
        k = self.k_proj(x_BTD).view(rows, length, self.kv_heads, self.head_dim).transpose(1, 2)
        v = self.v_proj(x_BTD).view(rows, length, self.kv_heads, self.head_dim).transpose(1, 2)
        q, k = rotate(q, cos_TE, sin_TE), rotate(k, cos_TE, sin_TE)
        groups = self.heads // self.kv_heads
        k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
        y = _attend(q, k, v)
        return self.o_proj(y.transpose(1, 2).reshape(rows, length, -1))


def _attend(q_BHTE: Tensor, k_BHTE: Tensor, v_BHTE: Tensor) -> Tensor:
    """Causal attention; short rows on a CPU spelled out, where compiled code beats the kernel."""
    length = q_BHTE.shape[2]
    if q_BHTE.device.type != "cpu" or length > EXPLICIT_LENGTH:
        return F.scaled_dot_product_attention(q_BHTE, k_BHTE, v_BHTE, is_causal=True)
    scores = (q_BHTE @ k_BHTE.transpose(-1, -2)).float() * q_BHTE.shape[-1] ** -0.5
    at = torch.arange(length, device=scores.device)
    scores = scores.masked_fill(at[None, :] > at[:, None], float("-inf"))
    return scores.softmax(-1).to(v_BHTE.dtype) @ v_BHTE


class FeedForward(nn.Module):
    """SwiGLU (Shazeer, arXiv 2002.05202)."""

    def __init__(self, recipe: ModelRecipe) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(recipe.width, recipe.ffn, bias=False)
        self.up_proj = nn.Linear(recipe.width, recipe.ffn, bias=False)
        self.down_proj = nn.Linear(recipe.ffn, recipe.width, bias=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Return the gated values (B, T, D)."""
        return self.down_proj(F.silu(self.gate_proj(x_BTD)) * self.up_proj(x_BTD))


class Layer(nn.Module):
    """One decoder block."""

    def __init__(self, recipe: ModelRecipe) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(recipe.width)
        self.self_attn = Attention(recipe)
        self.post_attention_layernorm = RMSNorm(recipe.width)
        self.mlp = FeedForward(recipe)

    def forward(self, x_BTD: Tensor, cos_TE: Tensor, sin_TE: Tensor) -> Tensor:
        """Return the residual stream behind the block."""
        x_BTD = x_BTD + self.self_attn(self.input_layernorm(x_BTD), cos_TE, sin_TE)
        return x_BTD + self.mlp(self.post_attention_layernorm(x_BTD))


class Trunk(nn.Module):
    """Embeddings, blocks and the last norm: what ``transformers`` calls ``model``."""

    cos: Tensor
    sin: Tensor

    def __init__(self, recipe: ModelRecipe) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(recipe.vocabulary, recipe.width)
        self.layers = nn.ModuleList(Layer(recipe) for _ in range(recipe.layers))
        self.norm = RMSNorm(recipe.width)
        cos, sin = rotary_tables(recipe.context, recipe.head_dim, recipe.rope_theta)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, ids_BT: Tensor) -> Tensor:
        """Return hidden states (B, T, D) for ids (B, T)."""
        x_BTD = self.embed_tokens(ids_BT)
        if torch.is_autocast_enabled(x_BTD.device.type):
            x_BTD = x_BTD.to(torch.get_autocast_dtype(x_BTD.device.type))
        length = ids_BT.shape[1]
        cos, sin = self.cos[:length].to(x_BTD.dtype), self.sin[:length].to(x_BTD.dtype)
        for layer in self.layers:
            x_BTD = layer(x_BTD, cos, sin)
        return self.norm(x_BTD)


class Decoder(nn.Module):
    """The whole model. Input ids (B, T) int64; output logits (B, T, V) or a summed loss."""

    def __init__(self, recipe: ModelRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.model = Trunk(recipe)
        self._reset()

    def _reset(self) -> None:
        """Normal weights; projections into the residual stream start small by depth."""
        residual = 1 / math.sqrt(2 * self.recipe.layers)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                std = 0.02 if "embed_tokens" in name else weight.shape[1] ** -0.5
                small = residual if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
                nn.init.normal_(weight, std=std * small)

    def forward(self, ids_BT: Tensor) -> Tensor:
        """Return logits (B, T, V)."""
        return self.logits(self.model(ids_BT))

    def logits(self, hidden_BTD: Tensor) -> Tensor:
        """Return logits (B, T, V) for the trunk's hidden states."""
        return F.linear(hidden_BTD, self.model.embed_tokens.weight)

    def loss(self, ids_BT: Tensor, targets_BT: Tensor) -> Tensor:
        """Return the summed cross-entropy in nats over targets other than :data:`IGNORE`."""
        return self.loss_of(self.model(ids_BT), targets_BT)

    def loss_of(self, hidden_BTD: Tensor, targets_BT: Tensor) -> Tensor:
        """Return :meth:`loss` for the trunk's hidden states; a long batch goes in pieces."""
        weight = self.model.embed_tokens.weight
        if targets_BT.numel() * weight.shape[0] <= CHUNK_LOGITS:
            return self.losses_of(hidden_BTD, targets_BT).sum()
        return summed_cross_entropy(
            hidden_BTD.flatten(0, 1), weight, targets_BT.flatten(), IGNORE, CHUNK_LOGITS
        )

    def losses(self, ids_BT: Tensor, targets_BT: Tensor) -> Tensor:
        """Return the cross-entropy in nats of each position (B * T,), 0 where ignored."""
        return self.losses_of(self.model(ids_BT), targets_BT)

    def losses_of(self, hidden_BTD: Tensor, targets_BT: Tensor) -> Tensor:
        """Return :meth:`losses` for the trunk's hidden states."""
        logits = self.logits(hidden_BTD).flatten(0, 1).float()
        return F.cross_entropy(logits, targets_BT.flatten(), ignore_index=IGNORE, reduction="none")


def parameter_count(model: nn.Module) -> int:
    """Return the number of trained values; tied embeddings count once."""
    return sum(cast(Tensor, p).numel() for p in model.parameters())
