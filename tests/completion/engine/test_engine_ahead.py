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
    found = [await started(checkpoint, drafts) for drafts in (0, 6)]
    yield found
    for engine in found:
        assert await engine.running() == 0
        await engine.stop()


async def started(checkpoint, drafts):
    """An engine whose calls may take long, so that what it does is not up to the machine."""
    words = ("worker_extension_cls=eval.bench.step_parts.StepParts",)
    config = ModelConfig(
        path=str(checkpoint.path), dtype="float32", draft_tokens=drafts, engine_args=words
    )
    engine = VllmEngine(checkpoint, config)
    await engine.start()
    await engine._llm.collective_rpc("caret_long", args=(60.0,))
    return engine


async def counted(engine, prompt):
    """How often the worker was called for an answer, and how often the model was run."""
    await engine._llm.collective_rpc("caret_parts_begin")
    await steps(engine, prompt, max_tokens=24)
    (parts,) = await engine._llm.collective_rpc("caret_parts_end")
    return parts["runner: rest of a step"][0], parts["model: layers"][0]


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


async def test_a_call_of_the_worker_computes_several_steps(checkpoint, engines):
    single, ahead = engines
    for engine, several in ((single, False), (ahead, True)):
        calls, passes = await counted(engine, checkpoint.encoder.encode(TEXTS[0]))
        assert (passes > calls) is several


@pytest.mark.parametrize(
    ("tokens", "room"),
    [([5, 6], 4), ([5, 9], 0), ([9, 5], 0), ([5, 8], 0), ([5, 6, 7, 5, 5, 5], 0)],
)
def test_a_line_s_end_and_a_token_that_ends_the_answer_end_the_call(tokens, room):
    from completion.engine.ahead_v1 import _Going

    line_ends, ends = frozenset({9}), frozenset({8})
    one = _Going(None, False, (line_ends, ends), row=3, end=20, room=6, last=1)
    one.take(tokens, 40)
    assert one.room == room
    assert (one.row, one.end, one.last) == (3 + len(tokens), 20 + len(tokens), tokens[-1])
    assert one.drawn == list(range(40, 40 + len(tokens)))


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
    found, several = [], []
    for drafts in (0, 6):
        engine = await started(checkpoint, drafts)
        try:
            found.append(await steps(engine, prompt, max_tokens=24))
            calls, passes = await counted(engine, prompt)
            several.append(passes > calls)
        finally:
            await engine.stop()
    assert same(*found)
    assert several == [False, True]


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
