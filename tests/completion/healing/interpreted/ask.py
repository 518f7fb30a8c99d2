"""Starts the engine with the runner that the environment chooses and writes what it says to a file.

``python ask.py RUNNER OUT``: rows alone, at once on a warm cache, of several positions, of a prompt
that is read in parts; a greedy continuation; the same with a workspace mixed in.
"""

import asyncio
import sys

import numpy as np
import torch

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.workspace.request import Mixing

LENGTHS = (1, 33, 64, 150)
CHUNKS = ("max_num_batched_tokens=64", "max_num_seqs=8", "enable_chunked_prefill=true")
WORKSPACE = "1" * 32
FILE = b"def total(values):\n    count = sum(values)\n    return count / 2\n" * 3


async def main(runner, out):
    checkpoint = load_checkpoint("bundled")
    ids = checkpoint.encoder.encode(b"def total(values):\n    return sum(values)\n" * 20)
    prompts = [ids[n : 2 * n] for n in LENGTHS]
    engine = VllmEngine(checkpoint, ModelConfig(dtype="float32", engine_args=CHUNKS))
    await engine.start()
    assert engine._llm.vllm_config.use_v2_model_runner == (runner == "v2")
    alone = [(await engine.next_laws([prompt]))[0] for prompt in prompts]
    again = await engine.next_laws(prompts)
    wanted = Sampling(max_tokens=4, rows=(90, 1))
    rows, tokens = None, []
    async for step in engine.generate(ids[7:140], wanted, RequestStats()):
        rows = step.rows if rows is None else rows
        tokens += step.token_ids
    mixing = Mixing(WORKSPACE, "1.0", "b.py", (0, 70), (0, 0), 70)
    change = ["put", "a.py", np.array(checkpoint.encoder.encode(FILE), np.int32).tobytes()]
    await engine.workspaces("change", WORKSPACE, [], [change])
    mixed_rows, mixed_tokens = None, []
    sampling = Sampling(max_tokens=12, rows=(90, 1), mixing=mixing)
    async for step in engine.generate(ids[7:140], sampling, RequestStats()):
        mixed_rows = step.rows if mixed_rows is None else mixed_rows
        mixed_tokens += step.token_ids
    mixed = await engine.next_laws([ids[7:140], ids[7:141], ids[7:100]], mixing=mixing)
    while await engine.running():
        await asyncio.sleep(0.01)
    await engine.stop()
    torch.save({"prompts": prompts, "alone": alone, "again": again, "long": ids[7:140],
                "rows": rows, "tokens": tokens, "mixing": mixing.words(), "mixed_rows": mixed_rows,
                "mixed_tokens": mixed_tokens, "mixed": mixed, "file": FILE}, out)  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
