"""The bundled weights as llama.cpp reads them."""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest

from completion.engine.checkpoint import load_checkpoint
from completion.errors import CaretError, UsageError
from eval.bench import gguf_weights
from eval.bench.gguf_weights import _by_neighbours, _renamed, write_gguf


def _turned(x, pairs, angles):
    """Turn dimensions (first, second) of a head by one angle a pair."""
    out = x.copy()
    for (first, second), angle in zip(pairs, angles, strict=True):
        out[first] = x[first] * np.cos(angle) - x[second] * np.sin(angle)
        out[second] = x[first] * np.sin(angle) + x[second] * np.cos(angle)
    return out


def test_products_of_queries_and_keys_are_the_same_in_the_other_order():
    rng = np.random.default_rng(0)
    heads, head, width = 3, 8, 5
    angles = rng.normal(size=head // 2)
    halves = [(i, i + head // 2) for i in range(head // 2)]
    neighbours = [(2 * i, 2 * i + 1) for i in range(head // 2)]
    queries, keys = rng.normal(size=(2, heads * head, width))
    x, y = rng.normal(size=(2, width))
    theirs = _by_neighbours(queries, heads), _by_neighbours(keys, heads)
    for number in range(heads):
        part = slice(number * head, (number + 1) * head)
        ours = _turned(queries[part] @ x, halves, angles) @ (keys[part] @ y)
        other = _turned(theirs[0][part] @ x, neighbours, angles) @ (theirs[1][part] @ y)
        assert np.isclose(ours, other)


def test_a_tensor_that_no_plain_llama_has_is_refused():
    assert _renamed("model.layers.11.mlp.up_proj.weight") == "blk.11.ffn_up.weight"
    for name in ("model.layers.0.self_attn.q_norm.weight", "vision.patch.weight"):
        with pytest.raises(UsageError, match="plain Llama"):
            _renamed(name)


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(CaretError, match=r"caret-completion\[peers\]"):
        write_gguf(load_checkpoint("bundled"), tmp_path / "a.gguf", "bf16")


def test_every_token_has_its_id(tmp_path):
    gguf = pytest.importorskip("gguf")
    checkpoint = load_checkpoint("bundled")
    write_gguf(checkpoint, tmp_path / "a.gguf", "q8_0")
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    field = reader.get_field("tokenizer.ggml.tokens")
    names = [bytes(field.parts[at]).decode() for at in field.data]
    assert len(names) == len(checkpoint.vocabulary)
    for name, number in checkpoint.vocabulary.special.items():
        assert names[number] == name
    alphabet = gguf_weights.byte_alphabet()
    for number in random.Random(0).sample(range(len(names)), 200):
        if number not in checkpoint.vocabulary.special_ids:
            text = checkpoint.vocabulary.token_bytes[number]
            assert names[number] == "".join(alphabet[byte] for byte in text)
    kinds = {tensor.name: tensor.tensor_type.name for tensor in reader.tensors}
    assert kinds["blk.0.attn_q.weight"] == "Q8_0"
    assert kinds["blk.0.attn_norm.weight"] == "F32"


@pytest.mark.engine
def test_llama_cpp_goes_on_as_transformers_does(tmp_path):
    pytest.importorskip("llama_cpp")
    import torch
    from transformers import AutoModelForCausalLM

    from eval.bench.child_llama import Llama

    checkpoint = load_checkpoint("bundled")
    write_gguf(checkpoint, tmp_path / "a.gguf", "bf16")
    llama = Llama(str(tmp_path / "a.gguf"), 1, 2, checkpoint.context_tokens)
    model = AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32)
    texts = [b"def read(path):\n    with open(", b"class Table:\n    def __init__(self, rows"]
    prompts = [checkpoint.encoder.encode(text) for text in texts]
    together = [one["ids"] for one in llama.run(prompts, 12)]
    for prompt, found in zip(prompts, together, strict=True):
        with torch.inference_mode():
            ids = torch.tensor([prompt])
            expected = model.generate(ids, max_new_tokens=12, do_sample=False, eos_token_id=None)
        assert found[:6] == expected[0, len(prompt) : len(prompt) + 6].tolist()
    # what is kept of the prompt before changes nothing
    longer = [*prompts[0], *together[0][:5]]
    kept = llama.run([longer], 6)[0]["ids"]
    llama.forget()
    assert llama.run([longer], 6)[0]["ids"] == kept
