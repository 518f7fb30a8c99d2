"""Floating-point operations of a model, from its shape: the numerator of FLOP utilisation.

Lives here: the count. A forward pass takes 2 operations for each weight of a matrix and 4 for each
position, head dimension and layer in attention; a backward pass takes twice as many again. So one
position in a row of T costs

    6 N + 12 L H E T

with N the weights of all matrices (the tied embedding once: as the output projection), L layers,
H heads of size E. Attention counts in full, as in PaLM (arXiv 2204.02311, appendix B): the causal
half that a kernel may skip is not taken off. Norms, rotary positions, the softmax and the light
heads are left out; together they are below 2 %.
"""

from __future__ import annotations

from training.recipe import ModelRecipe


def matrix_weights(model: ModelRecipe) -> int:
    """Return N: the weights that take part in matrix products, the embedding once."""
    inner, kv = model.heads * model.head_dim, model.kv_heads * model.head_dim
    attention = model.width * (2 * inner + 2 * kv)
    return model.layers * (attention + 3 * model.width * model.ffn) + model.vocabulary * model.width


def flops_a_position(model: ModelRecipe, length: int, *, a_weight: int = 6) -> float:
    """Return the operations that training takes for one position of a row of ``length``.

    ``a_weight`` is 4 where the weights are frozen below adapters: no gradient is made for them.
    """
    attention = 12 * model.layers * model.heads * model.head_dim * length
    return float(a_weight * matrix_weights(model) + attention)
