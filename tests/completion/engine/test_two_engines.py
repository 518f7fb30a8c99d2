"""Two models in one process: each on an engine core of its own, and neither ends the other."""

from multiprocessing import forkserver

import pytest

from completion.config import ModelConfig
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine

pytestmark = pytest.mark.engine


async def test_when_one_is_stopped_the_other_goes_on():
    checkpoint = load_checkpoint("bundled")
    prompt = checkpoint.encoder.encode(b"def f(x):\n    return")
    first, second = (VllmEngine(checkpoint, ModelConfig()) for _ in range(2))
    try:
        await first.start()
        await second.start()
        (before,), (same,) = await first.next_laws([prompt]), await second.next_laws([prompt])
        assert float((before - same).abs().max()) < 1e-4
        await first.stop()
        assert await second.alive()
        (after,) = await second.next_laws([prompt])
        assert float((before - after).abs().max()) < 1e-4
        assert forkserver._forkserver._forkserver_pid is not None
    finally:
        await first.stop()
        await second.stop()
    assert forkserver._forkserver._forkserver_pid is None, "it ends with the last engine"
