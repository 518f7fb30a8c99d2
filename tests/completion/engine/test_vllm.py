"""The real engine on the bundled model, against transformers in float32."""

import asyncio

import pytest

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.environment import parse_engine_args, set_environment
from completion.engine.vllm import VllmEngine
from completion.errors import UsageError
from completion.prompt.views import DocumentView

PREFIX = b"import os\n\n\ndef join(names):\n    for i in range("


@pytest.mark.parametrize(
    ("word", "name", "value"),
    [
        ("block_size=64", "block_size", 64),
        ("--max-num-seqs=4", "max_num_seqs", 4),
        ("enforce_eager=false", "enforce_eager", False),
        ("quantization=none", "quantization", None),
        ("kv_cache_dtype=fp8", "kv_cache_dtype", "fp8"),
        ('hf_overrides={"a": 1}', "hf_overrides", {"a": 1}),
    ],
)
def test_engine_arguments_are_read_as_values(word, name, value):
    assert parse_engine_args((word,)) == {name: value}


@pytest.mark.parametrize(
    "word",
    [
        "block_size",
        "=1",
        "model=evil",
        "trust_remote_code=true",
        "--trust-remote-code=1",
        "load_format=pt",
        "tokenizer=evil",
        "hf_config_path=evil",
        "enable_log_requests=true",
    ],
)
def test_engine_arguments_that_are_wrong_or_decided_are_refused(word):
    with pytest.raises(UsageError):
        parse_engine_args((word,))


@pytest.mark.parametrize(("path", "offline"), [("bundled", "1"), (".", "1"), ("owner/name", None)])
def test_the_hub_may_be_asked_only_for_a_model_that_is_named_there(monkeypatch, path, offline):
    import os

    environment = {}
    monkeypatch.setattr(os, "environ", environment)
    set_environment("cpu", ModelConfig(path=path))
    assert environment.get("HF_HUB_OFFLINE") == offline
    assert environment["VLLM_NO_USAGE_STATS"] == "1"


@pytest.fixture(scope="module")
async def engine():
    config = ModelConfig(dtype="float32")
    engine = VllmEngine(load_checkpoint("bundled"), config)
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture(scope="module")
def prompt():
    checkpoint = load_checkpoint("bundled")
    return checkpoint.prompt_builder().build(DocumentView(prefix=PREFIX, suffix=b"):\n")).token_ids


async def tokens_of(engine, prompt, **sampling):
    stats = RequestStats()
    steps = engine.generate(prompt, Sampling(**sampling), stats)
    found = [pair async for s in steps for pair in zip(s.token_ids, s.log_probs, strict=True)]
    return [t for t, _ in found], [p for _, p in found], stats


@pytest.mark.engine
async def test_it_says_what_transformers_says(engine, prompt):
    import torch
    from transformers import AutoModelForCausalLM

    ids, log_probs, _ = await tokens_of(engine, prompt, max_tokens=16)
    path = load_checkpoint("bundled").path
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    with torch.inference_mode():
        logits_TV = model(torch.tensor([[*prompt, *ids]])).logits[0, len(prompt) - 1 : -1]
    expected_TV = logits_TV.log_softmax(-1)
    assert expected_TV.argmax(-1).tolist() == ids
    reference = expected_TV[range(len(ids)), ids].tolist()
    assert log_probs == pytest.approx(reference, abs=1e-4)


@pytest.mark.engine
async def test_the_top_token_is_the_greedy_one_and_they_come_best_first(engine, prompt):
    (first,), (log_prob,), _ = await tokens_of(engine, prompt, max_tokens=1)
    top = await engine.top_tokens(prompt, 5)
    assert top[0][0] == first
    assert top[0][1] == pytest.approx(log_prob, abs=1e-4)
    assert [p for _, p in top] == sorted((p for _, p in top), reverse=True)
    assert len({t for t, _ in top}) == 5


@pytest.mark.engine
async def test_the_same_prompt_again_comes_from_the_cache(engine, prompt):
    long = (prompt * 8)[:200]
    first, _, _ = await tokens_of(engine, long, max_tokens=4)
    again, _, stats = await tokens_of(engine, long, max_tokens=4)
    assert again == first
    assert stats.cached_tokens >= len(long) // 32 * 32 - 32


@pytest.mark.engine
async def test_a_stop_token_ends_it_and_a_seed_repeats_it(engine, prompt):
    ids, _, _ = await tokens_of(engine, prompt, max_tokens=8)
    stopped, _, _ = await tokens_of(engine, prompt, max_tokens=8, stop_token_ids=(ids[2],))
    assert stopped == ids[: ids.index(ids[2]) + 1]
    drawn = [
        await tokens_of(engine, prompt, max_tokens=8, temperature=1.5, seed=s) for s in (1, 1, 2)
    ]
    assert drawn[0][0] == drawn[1][0] != drawn[2][0]


@pytest.mark.engine
async def test_closing_or_cancelling_frees_the_engine(engine, prompt):
    steps = engine.generate(prompt, Sampling(max_tokens=400), RequestStats())
    await anext(steps)
    assert await engine.running() == 1
    await steps.aclose()
    task = asyncio.create_task(tokens_of(engine, prompt, max_tokens=400))
    while not await engine.running():
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    while await engine.running():
        await asyncio.sleep(0)


@pytest.mark.engine
async def test_an_unknown_engine_argument_is_named():
    config = ModelConfig(engine_args=("no_such_thing=1",))
    with pytest.raises(UsageError, match="no_such_thing"):
        await VllmEngine(load_checkpoint("bundled"), config).start()


@pytest.mark.engine
async def test_a_cached_prefix_is_of_use_to_its_own_caller_only(engine, prompt):
    long = prompt[::-1] * 8  # that no other test has asked for

    async def cached(salt):
        return (await tokens_of(engine, long, max_tokens=1, cache_salt=salt))[2].cached_tokens

    found = [await cached(salt) for salt in ("alice", "alice", "bob", "", "bob", "")]
    assert found[1] == found[4] == found[5] > 0
    assert (found[0], found[2], found[3]) == (0, 0, 0)


@pytest.mark.engine
async def test_top_tokens_are_asked_for_under_the_salt_too(engine, prompt):
    long = [*prompt * 8, *prompt[:3]]
    await engine.top_tokens(long, 2, None, "carol")
    _, _, stats = await tokens_of(engine, long, max_tokens=1, cache_salt="carol")
    assert stats.cached_tokens > 0
