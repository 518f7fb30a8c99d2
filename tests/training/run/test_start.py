"""A run that begins with the weights of another."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from completion.errors import UsageError
from tests.training.tiny import HELD, TRAIN
from training.export.weights import read_weights
from training.loop import Inputs, Run
from training.recipe import BudgetRecipe, Recipe
from training.run.start import read_start


def inputs(encoder: Tokenizer, start: Path | None = None) -> Inputs:
    begun = read_start(start) if start else None
    return Inputs(train=TRAIN, held_out=HELD, tokenizer=encoder, start=begun)


def losses(folder: Path) -> list[float]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [row["loss"] for row in map(json.loads, lines) if "loss" in row]


@pytest.fixture
def old(recipe: Recipe, encoder: Tokenizer, tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    Run(recipe, inputs(encoder), folder).train()
    return folder


def test_new_run_goes_on_with_weights_and_what_the_optimisers_know(
    recipe: Recipe, encoder: Tokenizer, old: Path, tmp_path: Path
) -> None:
    other = replace(recipe, seed=recipe.seed + 1)
    Run(other, inputs(encoder, old), tmp_path / "new").train(stop_after_steps=0)
    state = torch.load(tmp_path / "new" / "checkpoint.pt", weights_only=True)
    before = torch.load(old / "checkpoint.pt", weights_only=True)
    assert all(torch.equal(state["model"][n], w) for n, w in before["model"].items())
    assert state["position"]["step"] == 0
    momenta = [s["momentum_buffer"] for s in state["optimizers"][0]["state"].values()]
    known = [s["momentum_buffer"] for s in before["optimizers"][0]["state"].values()]
    assert momenta and all(torch.equal(a, b) for a, b in zip(momenta, known, strict=True))


def test_it_begins_below_a_run_from_nothing_and_says_whose_weights_they_were(
    recipe: Recipe, encoder: Tokenizer, old: Path, tmp_path: Path
) -> None:
    Run(recipe, inputs(encoder, old), tmp_path / "new").train(stop_after_steps=2)
    before = losses(old)
    assert losses(tmp_path / "new")[0] < (before[0] + before[-1]) / 2
    about = read_weights(tmp_path / "new")[1]["started_from"]
    end = json.loads((old / "weights.json").read_text())
    assert (about["name"], about["step"], about["tokens"]) == ("old", end["step"], end["tokens"])
    assert len(about["sha256"]) == 64
    assert read_start(tmp_path / "new").about["tokens"] > end["tokens"]  # both runs' tokens


def test_resumed_run_takes_its_checkpoint_and_not_its_start_again(
    recipe: Recipe, encoder: Tokenizer, old: Path, tmp_path: Path
) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    Run(recipe, inputs(encoder, old), whole).train()
    Run(recipe, inputs(encoder, old), parted).train(stop_after_steps=3)
    Run(recipe, inputs(encoder, old), parted).train()
    ours, theirs = read_weights(parted)[0], read_weights(whole)[0]
    assert all(torch.equal(ours[name], w) for name, w in theirs.items())
    assert read_weights(parted)[1]["started_from"] == read_weights(whole)[1]["started_from"]


def test_model_folder_gives_its_weights_alone(
    recipe: Recipe, encoder: Tokenizer, old: Path, tmp_path: Path
) -> None:
    weights = read_weights(old)[0]
    (tmp_path / "model").mkdir()
    save_file(weights, tmp_path / "model" / "model.safetensors")
    (tmp_path / "model" / "caret.json").write_text('{"tokens_seen": 77}')
    start = read_start(tmp_path / "model")
    assert start.about["tokens"] == 77
    assert not start.optimizers
    run = Run(replace(recipe, budget=BudgetRecipe(tokens=10_000)),
              inputs(encoder, tmp_path / "model"), tmp_path / "new")  # fmt: skip
    run.train(stop_after_steps=0)
    ours = {n: p.detach().bfloat16() for n, p in run.model.named_parameters()}
    assert all(torch.equal(ours[name], w) for name, w in weights.items())


def test_weights_of_another_shape_are_refused(
    recipe: Recipe, encoder: Tokenizer, old: Path, tmp_path: Path
) -> None:
    wider = replace(recipe, model=replace(recipe.model, ffn=2 * recipe.model.ffn))
    with pytest.raises(UsageError, match=r"gate_proj\.weight .* the recipe's model has"):
        Run(wider, inputs(encoder, old), tmp_path / "new").train(stop_after_steps=1)


@pytest.mark.parametrize("content", [None, b"", b"not weights"])
def test_folder_without_weights_is_one_clear_line(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(UsageError, match="--from"):
        read_start(tmp_path)
