"""The adapter for CUDA's model runner, run here: its Triton kernels are interpreted, on the CPU.

That shows that rows are found, of the right positions, in every way a prompt is read. It shows
nothing of CUDA's numbers, streams or graphs.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from completion.engine.checkpoint import load_checkpoint
from completion.workspace.request import Mixing
from completion.workspace.store import Store
from tests.completion.workspace.written_out import written_out

pytestmark = pytest.mark.engine
HERE = Path(__file__).with_name("interpreted")
ROOT = Path(__file__).parents[3]
WITHIN = 1e-4


@pytest.mark.timeout(600)
@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
def test_the_v2_runner_s_rows_are_those_of_transformers(tmp_path):
    out = tmp_path / "found.pt"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join((str(HERE), str(ROOT))),
        "TRITON_INTERPRET": "1",
        "VLLM_USE_V2_MODEL_RUNNER": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, str(HERE / "ask.py"), "v2", str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = torch.load(out, weights_only=False)  # our own, with what is mixed as bytes

    from transformers import AutoModelForCausalLM

    path = load_checkpoint("bundled").path
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)

    def rows_of(prompt):
        with torch.no_grad():
            return torch.log_softmax(model(torch.tensor([prompt])).logits[0].float(), -1)

    for prompt, alone, again in zip(found["prompts"], found["alone"], found["again"], strict=True):
        expected = rows_of(prompt)[-1]
        assert float((alone - expected).abs().max()) < WITHIN
        assert float((again - expected).abs().max()) < WITHIN
    expected = rows_of(found["long"])
    assert found["rows"].shape == (89, expected.shape[1])
    known = ~found["rows"][:, 0].isnan()
    assert bool(known[-1])
    assert float((found["rows"] - expected[-90:-1])[known].abs().max()) < WITHIN
    ids = list(found["long"])
    for token in found["tokens"]:
        assert token == int(rows_of(ids)[-1].argmax())
        ids.append(token)
    _mixed(found, rows_of)


def _mixed(found, rows_of):
    """With a workspace mixed in: rows of a prompt read in parts, of prompts alone, and tokens."""
    checkpoint = load_checkpoint("bundled")
    store = Store(len(checkpoint.vocabulary))
    store.put("a.py", checkpoint.encoder.encode(found["file"]))
    mixing = Mixing.from_words(found["mixing"])

    def law(ids):
        own = rows_of(ids)[-1].double()
        return torch.tensor(written_out(checkpoint, own, store, mixing, ids)), own.exp()

    long = list(found["long"])
    known = ~found["mixed_rows"][:, 0].isnan()
    assert bool(known[-1])
    for at, row in enumerate(found["mixed_rows"]):
        end = len(long) - 89 + at
        if known[at] and end >= mixing.base:
            assert float((row.exp() - law(long[:end])[0]).abs().max()) < WITHIN
    told = 0.0
    for row, end in zip(found["mixed"][::2], (133, 93), strict=True):
        expected, own = law(long[:end])
        assert float((row.exp() - expected).abs().max()) < WITHIN
        told = max(told, float((expected - own).abs().max()))
    assert told > 0.01, "or nothing was mixed in"
    for token in found["mixed_tokens"]:
        assert token == int(law(long)[0].argmax())
        long.append(token)
