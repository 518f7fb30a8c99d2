"""One thread for small steps and a short way through the layers: the same text, and when not."""

from types import SimpleNamespace

import pytest

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.together import together

TEXTS = (
    b"import os\n\n\ndef join(names):\n    for i in range(",
    b"class Table:\n    def __init__(self, rows):\n        self.rows = rows\n\n    def ",
    b"x = 1\n",
)


@pytest.fixture(scope="module")
async def engine():
    words = (
        "worker_extension_cls=eval.bench.step_parts.StepParts",
        "max_num_batched_tokens=64",
        "enable_chunked_prefill=true",
    )
    engine = VllmEngine(load_checkpoint("bundled"), ModelConfig(dtype="float32", engine_args=words))
    await engine.start()
    yield engine
    await engine.stop()


async def answers(engine):
    """Return what each text, short and several chunks long, is continued by, asked together."""
    encoder = load_checkpoint("bundled").encoder
    prompts = [encoder.encode(text * times) for text in TEXTS for times in (1, 9)]
    assert max(map(len, prompts)) > 128

    async def one(prompt):
        sampling = Sampling(max_tokens=24)
        steps = [step async for step in engine.generate(prompt, sampling, RequestStats())]
        return (
            [token for step in steps for token in step.token_ids],
            [log_prob for step in steps for log_prob in step.log_probs],
        )

    return await together(one(prompt) for prompt in prompts)


@pytest.mark.engine
async def test_the_short_way_says_what_vllms_own_does(engine):
    short = await answers(engine)
    (was_short,) = await engine._llm.collective_rpc("caret_own_forward")
    assert was_short
    await engine._llm.collective_rpc("caret_alone", args=(0,))
    await engine._llm.reset_prefix_cache()
    for ours, theirs in zip(short, await answers(engine), strict=True):
        assert ours[0] == theirs[0]
        assert ours[1] == pytest.approx(theirs[1], abs=1e-4)


def test_a_small_step_has_one_thread_and_a_large_one_all(monkeypatch):
    from completion.engine import threads

    used = []
    monkeypatch.setattr(threads, "_set_threads", used.append)
    monkeypatch.setattr(threads.torch, "get_num_threads", lambda: 8)

    class Base:
        def execute_model(self, scheduled):
            return scheduled.total_num_scheduled_tokens

    class Worker(threads.FewThreads, Base):
        def __init__(self, size):
            weights = [SimpleNamespace(numel=lambda: size)]
            self.model_runner = SimpleNamespace(model=SimpleNamespace(parameters=lambda: weights))

    def run(worker, tokens):
        return worker.execute_model(SimpleNamespace(total_num_scheduled_tokens=tokens))

    small = Worker(threads.ALONE // 10)
    assert [run(small, tokens) for tokens in (500, 1, 10, 0, 1, 11, 3)] == [
        500, 1, 10, 0, 1, 11, 3,
    ]  # fmt: skip
    assert used == [1, 8, 1]
    used.clear()
    large = Worker(threads.ALONE + 1)
    assert (run(large, 1), run(large, 100)) == (1, 100)
    assert used == []
