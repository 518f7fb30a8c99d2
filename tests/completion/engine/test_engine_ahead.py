"""Steps that go on by themselves, on the real engine: what they say is what single steps say."""

import asyncio
from contextlib import aclosing
from types import SimpleNamespace

import numpy as np
import pytest

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from tests.completion.families import make_checkpoint

pytestmark = pytest.mark.engine

TOKENS = 48
WITHIN = 1e-4
TEXTS = [
    b"class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self.y = y\n\n    def ",
    b"import os\nimport sys\n\n\ndef main(argv):\n    for path in argv[1:]:\n        ",
    b"rows = [(1, 'a'), (2, 'b'), (3, 'c')]\nfor number, name in rows:\n    print(",
    b"def quicksort(items):\n    if len(items) < 2:\n        return items\n    pivot = ",
]


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("bundled")


@pytest.fixture(scope="module")
async def engines(checkpoint):
    """One that draws a step a call, and one that goes on."""
    found = []
    for drafts in (0, 6):
        engine = VllmEngine(checkpoint, ModelConfig(dtype="float32", draft_tokens=drafts))
        await engine.start()
        found.append(engine)
    yield found
    for engine in found:
        assert await engine.running() == 0
        await engine.stop()


async def steps(engine, prompt, **how):
    """The steps of an answer, each with its tokens and their log-probabilities."""
    sampling = Sampling(**{"max_tokens": TOKENS} | how)
    async with aclosing(engine.generate(prompt, sampling, RequestStats())) as some:
        return [(list(one.token_ids), list(one.log_probs)) async for one in some]


def whole(some):
    return [i for ids, _ in some for i in ids], [p for _, probs in some for p in probs]


def same(one, other):
    (ids, probs), (other_ids, other_probs) = whole(one), whole(other)
    return ids == other_ids and np.allclose(probs, other_probs, atol=WITHIN)


@pytest.mark.parametrize("together", [1, 2, 4, 5])
async def test_as_many_as_there_are_say_what_each_says_step_by_step(checkpoint, engines, together):
    single, ahead = engines
    prompts = [checkpoint.encoder.encode(TEXTS[n % len(TEXTS)] + b" " * n) for n in range(together)]
    lengths = [TOKENS - 7 * n for n in range(together)]
    expected = [
        await steps(single, prompt, max_tokens=most)
        for prompt, most in zip(prompts, lengths, strict=True)
    ]
    found = await asyncio.gather(
        *(
            steps(ahead, prompt, max_tokens=most)
            for prompt, most in zip(prompts, lengths, strict=True)
        )
    )
    agree = sum(same(*pair) for pair in zip(found, expected, strict=True))
    assert agree >= together - (together > 1), "a batch may round a tie the other way"


async def test_more_is_drawn_in_a_call_than_drafts_bring_and_a_line_ends_it(checkpoint, engines):
    _, ahead = engines
    newline = {i for i, text in enumerate(checkpoint.vocabulary.token_bytes) if b"\n" in text}
    calls = tokens = lines = 0
    await ahead.running()
    before = ahead.work.accepted
    for text in TEXTS:
        for ids, _ in (await steps(ahead, checkpoint.encoder.encode(text)))[1:]:
            calls += 1
            tokens += len(ids)
            lines += ids[-1] in newline
            assert len(ids) <= 7
    await ahead.running()
    by_drafts = ahead.work.accepted - before
    assert lines, "or there was no line to end"
    assert tokens - by_drafts > calls, "each call draws one token of its own, or more"


async def test_a_token_that_ends_the_answer_ends_it_within_a_call(checkpoint, engines):
    single, ahead = engines
    for text in TEXTS:
        prompt = checkpoint.encoder.encode(text)
        ids, _ = whole(await steps(single, prompt))
        stop = ids[len(ids) // 2]
        how = {"stop_token_ids": (stop,)}
        assert same(await steps(ahead, prompt, **how), await steps(single, prompt, **how))


async def test_one_that_is_given_up_leaves_nothing(checkpoint, engines):
    _, ahead = engines
    for text in TEXTS:
        sampling = Sampling(max_tokens=200)
        prompt = checkpoint.encoder.encode(text)
        async with aclosing(ahead.generate(prompt, sampling, RequestStats())) as some:
            async for _ in some:
                break
    for _ in range(200):
        if not await ahead.running():
            break
        await asyncio.sleep(0.01)
    assert await ahead.running() == 0


@pytest.mark.parametrize(
    "name",
    ["qwen", *(pytest.param(n, marks=pytest.mark.slow) for n in ("starcoder2", "codegemma"))],
)
async def test_a_model_with_vllm_s_own_layers_says_the_same(name, tmp_path):
    checkpoint = load_checkpoint(str(make_checkpoint(name, tmp_path / name)))
    prompt = checkpoint.encoder.encode(TEXTS[0])
    found, calls = [], []
    for drafts in (0, 6):
        config = ModelConfig(path=str(checkpoint.path), dtype="float32", draft_tokens=drafts)
        engine = VllmEngine(checkpoint, config)
        await engine.start()
        try:
            found.append(await steps(engine, prompt, max_tokens=24))
            await engine.running()  # it counts
            calls.append(len(found[-1]) + engine.work.accepted)
        finally:
            await engine.stop()
    assert same(*found)
    assert calls[1] < calls[0], "it did go on by itself"


def test_room_behind_real_drafts_is_taken_back_and_the_scheduler_s_own_stays():
    from vllm.v1.core.sched.output import SchedulerOutput

    from completion.engine.drafting_v1 import Proposer

    config = SimpleNamespace(
        speculative_config=SimpleNamespace(num_speculative_tokens=6),
        model_config=SimpleNamespace(max_model_len=100),
    )
    proposer = Proposer(config)
    proposer._real = {"a": 1, "b": 0}
    scheduled = SchedulerOutput.make_empty()
    scheduled.num_scheduled_tokens = {"a": 4, "b": 3, "c": 2, "d": 50}
    scheduled.scheduled_spec_decode_tokens = {"a": [5, 0, 0], "b": [0, 0], "c": [8]}
    scheduled.total_num_scheduled_tokens = 59
    found = proposer.without_room(scheduled)
    assert found.num_scheduled_tokens == {"a": 2, "b": 1, "c": 2, "d": 50}
    assert found.scheduled_spec_decode_tokens == {"a": [5], "c": [8]}
    assert found.total_num_scheduled_tokens == 55
    assert scheduled.total_num_scheduled_tokens == 59
    assert scheduled.scheduled_spec_decode_tokens["b"] == [0, 0]
