"""Requests that are preempted and read again in parts: the mixture goes on as if nothing had been."""

import asyncio

import numpy as np
import pytest

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.workspace.request import Mixing

pytestmark = pytest.mark.engine
IDENTITY = "1" * 32
FILE = b"def total(values):\n    count = sum(values)\n    return count / len(values)\n\n\n" * 3
SMALL = ("num_gpu_blocks_override=24", "max_num_batched_tokens=48", "max_num_seqs=8",
         "max_model_len=512", "enable_chunked_prefill=true")  # fmt: skip


async def test_a_preempted_request_says_what_it_says_alone():
    checkpoint = load_checkpoint("bundled")
    config = ModelConfig(dtype="float32", context_tokens=512, engine_args=SMALL)
    engine = VllmEngine(checkpoint, config)
    await engine.start()
    try:
        ids = np.array(checkpoint.encoder.encode(FILE), np.int32)
        await engine.workspaces("change", IDENTITY, [], [["put", "a.py", ids.tobytes()]])
        text = checkpoint.encoder.encode(b"import os\n\n\ndef average(numbers):\n    count =" * 9)
        prompts = [text[n:] for n in (0, 7, 20, 33, 41, 50)]

        async def drawn(prompt):
            size = len(prompt)
            mixing = Mixing(IDENTITY, "1.0", "b.py", (0, size), (0, 0), size)
            sampling = Sampling(max_tokens=100, mixing=mixing)
            found = []
            async for step in engine.generate(prompt, sampling, RequestStats()):
                found += step.token_ids
            return found

        alone = [await drawn(prompt) for prompt in prompts]
        together = await asyncio.gather(*map(drawn, prompts))
        scheduler = engine._llm.vllm_config.cache_config
        need = sum(len(prompt) + 100 for prompt in prompts)
        assert scheduler.num_gpu_blocks_override * scheduler.block_size < need, (
            "or none is preempted"
        )
        # A batch may round a tie the other way: the first tokens agree, and nearly all of them.
        shared = [_shared(a, b) for a, b in zip(alone, together, strict=True)]
        assert min(shared) > 8
        assert sum(share == 100 for share in shared) >= len(shared) - 1
        while await engine.running():
            await asyncio.sleep(0.01)
    finally:
        await engine.stop()


def _shared(one, other):
    """How many leading tokens are the same."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(one))
