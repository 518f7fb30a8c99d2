"""Each family's tiny checkpoint in the real engine: it loads, and continues the family's prompt."""

import pytest

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.prompt.templates import FAMILIES
from completion.prompt.views import DocumentView, SnippetView
from tests.completion.families import CASES, make_checkpoint

OFTEN = ("qwen", "starcoder2")
ONE_EACH = [next(case.name for case in CASES if case.family == family) for family in FAMILIES]


@pytest.mark.engine
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in OFTEN else pytest.mark.slow) for n in ONE_EACH]
)
async def test_the_real_engine_continues_the_prompt_of_every_family(name, tmp_path):
    from completion.engine.vllm import VllmEngine

    checkpoint = load_checkpoint(str(make_checkpoint(name, tmp_path / name)))
    engine = VllmEngine(checkpoint, ModelConfig(path=str(checkpoint.path), dtype="float32"))
    document = DocumentView(path="m.py", prefix=b"def f(x):\n    ret", suffix=b"\n\nprint(f(1))\n")
    snippet = SnippetView(path="s.py", text=b"A = 1\n")
    prompt = checkpoint.prompt_builder().build(document, [snippet], max_tokens=8)
    tokens: list[int] = []
    finished = ""
    await engine.start()
    try:
        sampling = Sampling(max_tokens=8, stop_token_ids=checkpoint.stop_ids)
        async for step in engine.generate(prompt.token_ids, sampling, RequestStats()):
            tokens += step.token_ids
            finished = step.finished or finished
    finally:
        await engine.stop()
    assert finished in ("stop", "length")
    assert 1 <= len(tokens) <= 8
    assert finished == "stop" or len(tokens) == 8
    for token_id in tokens[:-1]:
        assert token_id not in checkpoint.stop_ids
