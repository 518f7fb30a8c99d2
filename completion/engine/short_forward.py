"""The layers of a plain Llama on a CPU, with as little as can be between two of their kernels.

A decoding step of a small model is some sixty kernels of a few microseconds; calling them through modules,
dispatch by layer name and operators for a compiler takes several times as long as they do. Here the same
kernels of vLLM's are called in the same order, one function for the whole model. What is not a plain Llama
on one rank keeps vLLM's own way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]


class _Layer(NamedTuple):
    before: Tensor
    """Weights of the norm before attention; (H,)."""
    qkv: Product
    attention: Any
    name: str
    out: Product
    between: Tensor
    gate_up: Product
    down: Product


class ShortForward:
    """Mixed in before vLLM's CPU worker with the V1 model runner."""

    model_runner: Any
    vllm_config: Any

    def load_model(self, *args: Any, **kwargs: Any) -> None:
        """Load as vLLM does, and shorten what can be."""
        super().load_model(*args, **kwargs)  # type: ignore[misc]
        shorten(self.model_runner.model, self.vllm_config)


def shorten(model: Any, config: Any) -> bool:
    """Let ``model`` run by the short way; return whether it does. Call it with its weights loaded."""
    from vllm.model_executor.models.llama import (
        LlamaAttention,
        LlamaDecoderLayer,
        LlamaForCausalLM,
    )

    parallel = config.parallel_config
    inner: Any = getattr(model, "model", None)
    if (
        type(model) is not LlamaForCausalLM
        or parallel.tensor_parallel_size > 1
        or parallel.pipeline_parallel_size > 1
        or config.lora_config is not None
        or getattr(config.speculative_config, "method", "custom_class") != "custom_class"
        or config.kv_transfer_config is not None
        or config.compilation_config.mode  # it is compiled: whole graphs, nothing to shorten
        or any(type(layer) is not LlamaDecoderLayer for layer in inner.layers)
        or any(type(layer.self_attn) is not LlamaAttention for layer in inner.layers)
        or not all(_plain(layer.self_attn.attn) for layer in inner.layers)
    ):
        return False
    model.forward = _forward(model.forward, inner)
    return True


def _plain(attention: Any) -> bool:
    return (
        attention.query_quant is None
        and attention.kv_sharing_target_layer_name is None
        and not attention.attn_backend.forward_includes_kv_cache_update
    )


def _forward(whole: Callable[..., Any], inner: Any) -> Callable[..., Any]:
    """Return the function from token ids and positions, (T,), to hidden states, (T, H)."""
    from vllm.forward_context import get_forward_context

    layers = [
        _Layer(
            before=layer.input_layernorm.weight.data, qkv=_product(layer.self_attn.qkv_proj),
            attention=layer.self_attn.attn, name=layer.self_attn.attn.layer_name,
            out=_product(layer.self_attn.o_proj),
            between=layer.post_attention_layernorm.weight.data,
            gate_up=_product(layer.mlp.gate_up_proj), down=_product(layer.mlp.down_proj),
        )
        for layer in inner.layers
    ]  # fmt: skip
    one = inner.layers[0].self_attn
    sizes = [one.q_size, one.kv_size, one.kv_size]
    heads, kv_heads, head = one.num_heads, one.num_kv_heads, one.head_dim
    turn = one.rotary_emb
    epsilon = inner.norm.variance_epsilon
    last = inner.norm.weight.data
    norm, add_norm = torch.ops._C.rms_norm, torch.ops._C.fused_add_rms_norm
    silu_and_mul = torch.ops._C.silu_and_mul
    empty = torch.empty

    def forward(
        input_ids: Tensor | None,
        positions: Tensor,
        intermediate_tensors: Any = None,
        inputs_embeds: Tensor | None = None,
    ) -> Any:
        context = get_forward_context()
        metadata, slots = context.attn_metadata, context.slot_mapping
        if (
            input_ids is None
            or intermediate_tensors is not None
            or inputs_embeds is not None
            or not isinstance(metadata, dict)
            or not isinstance(slots, dict)
        ):
            return whole(input_ids, positions, intermediate_tensors, inputs_embeds)
        residual = inner.embed_input_ids(input_ids)
        x = torch.empty_like(residual)
        norm(x, residual, layers[0].before, epsilon)
        count = x.shape[0]
        for number, layer in enumerate(layers):
            if number:
                add_norm(x, residual, layer.before, epsilon)
            q, k, v = layer.qkv(x).split(sizes, dim=-1)
            q, k = turn(positions, q, k)
            k, v = k.view(count, kv_heads, head), v.view(count, kv_heads, head)
            attention = layer.attention
            cache, impl = attention.kv_cache, attention.impl
            impl.do_kv_cache_update(attention, k, v, cache, slots[layer.name])
            read = empty((count, heads, head), dtype=x.dtype)
            impl.forward(
                attention,
                q.view(count, heads, head),
                k,
                v,
                cache,
                metadata[layer.name],
                output=read,
            )
            x = layer.out(read.view(count, -1))
            add_norm(x, residual, layer.between, epsilon)
            both = layer.gate_up(x)
            acted = empty((count, both.shape[-1] // 2), dtype=x.dtype)
            silu_and_mul(acted, both)
            x = layer.down(acted)
        add_norm(x, residual, last, epsilon)
        return x

    return forward


def _product(layer: Any) -> Product:
    """Return what multiplies by a linear layer's weights, quantized or not."""
    bias = layer.bias
    linear = getattr(layer, "cpu_linear", None)
    if linear is not None:
        weight = layer.weight
        return lambda x: linear(x, weight, bias)
    apply = layer.quant_method.apply
    return lambda x: apply(layer, x, bias)
