"""What is exported runs in the real engine and says there what it says in transformers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from completion.config import ModelConfig
from completion.engine.base import RequestStats, Sampling
from completion.engine.checkpoint import load_checkpoint
from tests.training.adapters.conftest import recipe_for
from training.adapters.base import load_base
from training.adapters.export import export_adapters
from training.export.folder import ExportSettings, decoder_of, export
from training.export.int8 import imitate
from training.export.weights import read_weights
from training.recipe import Recipe
from training.run.session import run_training
from training.tokenizer import load_text_encoder


async def said_by_the_engine(folder: Path, prompt: list[int], count: int) -> list[int]:
    from completion.engine.vllm import VllmEngine

    checkpoint = load_checkpoint(str(folder))
    engine = VllmEngine(checkpoint, ModelConfig(path=str(folder), dtype="float32"))
    tokens: list[int] = []
    await engine.start()
    try:
        sampling = Sampling(max_tokens=count, stop_token_ids=())
        async for step in engine.generate(prompt, sampling, RequestStats()):
            tokens += step.token_ids
    finally:
        await engine.stop()
    return tokens


@pytest.mark.engine
@pytest.mark.timeout(240)
async def test_engine_runs_a_merged_folder(bases: Any, corpus_folder: Path, tmp_path: Path) -> None:
    base = load_base(str(bases("starcoder2")))
    recipe = recipe_for(base, tmp_path / "r.toml", budget={"tokens": 3_000})
    run_training(recipe, corpus_folder, base.folder, tmp_path / "run", "cpu", base)
    out = tmp_path / "out"
    export_adapters(ExportSettings(run=tmp_path / "run", out=out))
    prompt = base.tokenizer.encode("def f(x):\n    return x\n").ids
    tokens = await said_by_the_engine(out, prompt, 4)
    model = AutoModelForCausalLM.from_pretrained(str(out), dtype=torch.float32).eval()
    with torch.no_grad():
        expected = int(model(torch.tensor([prompt])).logits[0, -1].argmax())
    assert tokens[0] == expected


@pytest.mark.engine
@pytest.mark.timeout(240)
async def test_engine_runs_int8(
    recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    shape = replace(recipe.model, width=64, heads=2, kv_heads=1, head_dim=32, ffn=128)
    recipe = replace(recipe, model=shape)
    run_training(recipe, corpus_folder, tokenizer_folder, tmp_path / "run", "cpu")
    out = tmp_path / "out"
    export(ExportSettings(run=tmp_path / "run", out=out, int8=True))
    prompt = load_text_encoder(tokenizer_folder).encode("def f(x):\n    return x\n").ids
    tokens = await said_by_the_engine(out, prompt, 4)
    model = decoder_of(recipe, read_weights(tmp_path / "run")[0])
    imitate(model)
    with torch.no_grad():
        assert tokens[0] == int(model(torch.tensor([prompt]))[0, -1].argmax())
