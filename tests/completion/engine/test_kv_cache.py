"""How much memory keys and values get on a CPU."""

import json

from completion.engine.kv_cache import LEAST_BYTES, MOST_BYTES, kv_bytes_a_token, kv_cache_bytes
from completion.engine.locate import locate

QWEN = {"num_hidden_layers": 28, "num_attention_heads": 12, "num_key_value_heads": 2,
        "hidden_size": 1536}  # fmt: skip


def asked(model, context, requests=64, number_bytes=2):
    return kv_cache_bytes(
        model, context_tokens=context, requests=requests, number_bytes=number_bytes
    )


def test_the_bundled_model_gets_what_its_requests_can_use():
    model = json.loads((locate("bundled") / "config.json").read_text())
    assert kv_bytes_a_token(model, 2) == 2 * 6 * 2 * 64 * 2
    assert asked(model, 1024) == 2 * 64 * 1024 * 3072
    assert asked(model, 1024, number_bytes=4) == 2 * asked(model, 1024)
    assert asked(model, 1024, requests=1) == LEAST_BYTES


def test_a_large_model_gets_no_more_than_a_laptop_has_to_spare():
    assert asked(QWEN, 8192) == MOST_BYTES


def test_one_request_always_has_room():
    context = 1 << 17
    assert asked(QWEN, context) > context * kv_bytes_a_token(QWEN, 2) > MOST_BYTES


def test_a_model_that_is_described_otherwise_gets_the_most():
    assert asked({"n_layer": 12, "n_head": 12}, 1024) == MOST_BYTES
