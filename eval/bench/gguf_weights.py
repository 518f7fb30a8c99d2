"""A Llama folder as a GGUF file, the same weights under the same token ids, for llama.cpp.

llama.cpp turns neighbouring dimensions of a head by one angle, ``transformers`` dimension i and i + d/2:
the rows of the query and key projections are put in the other order, which leaves every product as it is.
The tokens are there by id; the rule by which text becomes tokens is not (llama.cpp knows a few by name),
so that such a file is for token ids in and token ids out.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from completion.engine.checkpoint import Checkpoint
from completion.engine.weights import weight_files
from completion.errors import CaretError, UsageError
from completion.healing.spelling import byte_alphabet

FORMATS = ("bf16", "f16", "q8_0")
_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
_WHOLE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def write_gguf(checkpoint: Checkpoint, file: Path, number_format: str) -> None:
    """Write the weights of ``checkpoint`` as ``file``; matrices in ``number_format``, norms in float32.

    Raises:
        CaretError: the package ``gguf`` is missing, or the model is no plain Llama.
    """
    gguf = _gguf()
    config: dict[str, Any] = json.loads((checkpoint.path / "config.json").read_text("utf-8"))
    if config.get("model_type") != "llama" or config.get("attention_bias"):
        raise UsageError(f"{checkpoint.name} is no plain Llama; llama.cpp is compared on one")
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    head = config.get("head_dim") or config["hidden_size"] // heads
    rope: dict[str, Any] = config.get("rope_parameters") or config
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_name(checkpoint.name)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(float(rope.get("rope_theta", 10000.0)))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    _add_tokens(writer, gguf, checkpoint, config)
    kind = {name: getattr(gguf.GGMLQuantizationType, name.upper()) for name in FORMATS}
    for name, tensor in _tensors(checkpoint.path):
        data = tensor.float().numpy()
        if name.endswith("self_attn.q_proj.weight"):
            data = _by_neighbours(data, heads)
        elif name.endswith("self_attn.k_proj.weight"):
            data = _by_neighbours(data, kv_heads)
        as_kind = kind[number_format] if data.ndim > 1 else gguf.GGMLQuantizationType.F32
        stored = gguf.quants.quantize(data, as_kind)
        writer.add_tensor(_renamed(name), stored, raw_dtype=as_kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _gguf() -> Any:
    try:
        return importlib.import_module("gguf")
    except ImportError:
        raise CaretError(
            "llama.cpp is not installed; pip install 'caret-completion[peers]' builds it"
        ) from None


def _tensors(folder: Path) -> list[tuple[str, Any]]:
    from safetensors.torch import load_file

    found: dict[str, Any] = {}
    for file in weight_files(folder):
        found |= load_file(file)
    return sorted(found.items())


def _renamed(name: str) -> str:
    """Return llama.cpp's name of a tensor.

    Raises:
        UsageError: a plain Llama has none of that name.
    """
    if name in _WHOLE:
        return _WHOLE[name]
    parts = name.removesuffix(".weight").split(".", 3)
    if len(parts) == 4 and parts[:2] == ["model", "layers"] and parts[3] in _NAMES:
        return f"blk.{parts[2]}.{_NAMES[parts[3]]}.weight"
    raise UsageError(f"a plain Llama has no tensor {name}; llama.cpp is compared on one")


def _by_neighbours(rows: Any, heads: int) -> Any:
    """Put rows (heads × d, n) that are turned as i with i + d/2 into the order of 2i with 2i + 1."""
    count, width = rows.shape
    halves = rows.reshape(heads, 2, count // heads // 2, width)
    return halves.swapaxes(1, 2).reshape(count, width)


def _add_tokens(writer: Any, gguf: Any, checkpoint: Checkpoint, config: dict[str, Any]) -> None:
    vocabulary = checkpoint.vocabulary
    alphabet = byte_alphabet()
    names = {number: name for name, number in vocabulary.special.items()}
    tokens: list[str] = []
    kinds: list[int] = []
    for number in range(config["vocab_size"]):
        special = number in vocabulary.special_ids or number >= len(vocabulary)
        if special:
            tokens.append(names.get(number, f"<|unused_{number}|>"))
        else:
            tokens.append("".join(alphabet[b] for b in vocabulary.token_bytes[number]))
        kinds.append(gguf.TokenType.CONTROL if special else gguf.TokenType.NORMAL)
    tree = json.loads((checkpoint.path / "tokenizer.json").read_text("utf-8"))
    merges = tree["model"].get("merges") or []
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    for name in ("bos", "eos"):
        number = config.get(f"{name}_token_id")
        if isinstance(number, int):
            getattr(writer, f"add_{name}_token_id")(number)
    writer.add_add_bos_token(False)
