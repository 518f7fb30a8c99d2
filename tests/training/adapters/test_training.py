"""Adapters in the ordinary loop: they learn, the base stays, a run goes on where it stopped."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.adapters.conftest import recipe_for
from training.adapters.base import Base, load_base
from training.adapters.decoder import AdaptedDecoder
from training.corpus.shards import read_documents
from training.export.weights import read_weights
from training.loop import Inputs, Run
from training.run.session import run_training

FAMILIES = ("qwen", "starcoder2", "deepseek", "codellama", "codestral", "codegemma", "codegeex4")


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def losses(folder: Path) -> list[tuple[int, float]]:
    return [(row["step"], row["loss"]) for row in rows(folder) if "loss" in row]


def inputs_of(base: Base, corpus: Path) -> Inputs:
    held = list(read_documents(corpus, "held_out"))
    return Inputs(
        train=list(read_documents(corpus)), held_out=held, tokenizer=base.tokenizer, base=base
    )


def digest(folder: Path) -> str:
    return sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", FAMILIES)
def test_adapters_and_heads_learn_in_every_family_and_the_base_stays(
    name: str, bases: Any, corpus_folder: Path, tmp_path: Path
) -> None:
    folder = bases(name)
    base, before = load_base(str(folder)), digest(folder)
    run = Run(
        recipe_for(base, tmp_path / "r.toml"), inputs_of(base, corpus_folder), tmp_path / "run"
    )
    frozen = {
        n: p.detach().clone()
        for n, p in run.model.wrapped.named_parameters()  # pyright: ignore[reportAttributeAccessIssue]
        if "lora_" not in n
    }
    measured = run.measure()
    assert run.train()
    assert run.measure() < 0.97 * measured
    types = [row["next_type"] for row in rows(tmp_path / "run") if "next_type" in row]
    assert sum(types[-4:]) < 0.8 * sum(types[:4])
    after = dict(run.model.wrapped.named_parameters())  # pyright: ignore[reportAttributeAccessIssue]
    assert all(torch.equal(value, after[n]) for n, value in frozen.items())
    assert digest(folder) == before


def test_run_that_was_stopped_goes_on_to_the_same_curve_and_weights(
    qwen: Base, corpus_folder: Path, tmp_path: Path
) -> None:
    """With dropout in the adapters: the random state goes on too."""
    recipe = recipe_for(qwen, tmp_path / "r.toml", budget={"tokens": 3_000})
    inputs = inputs_of(qwen, corpus_folder)
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    assert Run(recipe, inputs, whole).train()
    while not Run(recipe, inputs, parted).train(stop_after_steps=2):
        pass
    assert losses(parted) == losses(whole)
    ours, theirs = read_weights(parted)[0], read_weights(whole)[0]
    assert all(torch.equal(ours[n], theirs[n]) for n in theirs)


def test_checkpoint_and_weights_hold_adapters_heads_and_optimiser_alone(
    qwen: Base, corpus_folder: Path, tmp_path: Path
) -> None:
    recipe = recipe_for(qwen, tmp_path / "r.toml")
    run = Run(recipe, inputs_of(qwen, corpus_folder), tmp_path / "run")
    run.train(stop_after_steps=2)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert state["model"]
    assert all("lora_" in name for name in state["model"])
    assert set(state["heads"]) == {"horizon.weight", "horizon.bias", "next_type.weight"}
    (adamw,) = state["optimizers"]
    assert len(adamw["state"]) == len(state["model"]) + len(state["heads"])
    weights, index = read_weights(tmp_path / "run")
    assert set(weights) == set(state["model"])
    assert all(w.dtype is torch.float32 for w in weights.values())
    assert index["parameters"] == sum(w.numel() for w in weights.values())


def test_fresh_adapters_change_nothing_and_dropout_is_theirs_alone(
    qwen: Base, tmp_path: Path
) -> None:
    recipe = recipe_for(qwen, tmp_path / "r.toml")
    assert recipe.lora
    torch.manual_seed(3)
    decoder = AdaptedDecoder(qwen, recipe.lora)
    ids = torch.arange(40)[None]
    with torch.no_grad():
        whole = decoder.wrapped.get_base_model()(input_ids=ids).logits  # pyright: ignore[reportCallIssue]
        assert torch.equal(decoder(ids), whole)
        for name, parameter in decoder.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
        assert not torch.equal(decoder(ids), decoder(ids))
        targets = ids.roll(-1)
        assert torch.equal(decoder.losses(ids, targets), decoder.losses(ids, targets))
        assert decoder.training


def test_run_through_files_knows_its_base(qwen: Base, corpus_folder: Path, tmp_path: Path) -> None:
    recipe = recipe_for(qwen, tmp_path / "r.toml", budget={"tokens": 600})
    done = run_training(recipe, corpus_folder, qwen.folder, tmp_path / "run", "cpu", qwen)
    assert done["finished"]
    known = json.loads((tmp_path / "run" / "base.json").read_text())
    assert (known["family"], known["fingerprint"]) == ("qwen", qwen.fingerprint)
    assert (tmp_path / "run" / "tokenizer" / "tokenizer.json").is_file()
