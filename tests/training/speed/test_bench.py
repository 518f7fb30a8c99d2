"""The bench on a tiny model: that both sides are given the same work, and that ratios come out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from training.model import IGNORE, Decoder, parameter_count
from training.recipe import PLAIN, Recipe, recipe_table
from training.speed import bench


@pytest.fixture
def small(recipe: Recipe) -> Recipe:
    table = recipe_table(recipe)
    table["model"]["context"] = bench.LENGTH
    table["loop"] |= {"batch_tokens": 2 * bench.LENGTH, "micro_tokens": bench.LENGTH}
    return bench.bench_recipe(table)


def test_trainers_loss_is_ours_on_the_same_weights_and_rows(
    small: Recipe, tokenizer_folder: Path
) -> None:
    from transformers import LlamaForCausalLM

    plain = dataclasses.replace(small, objectives=PLAIN)
    batch = bench.stream_of(plain, tokenizer_folder).next()
    torch.manual_seed(0)
    ours = Decoder(small.model)
    config: Any = bench._config(small)
    theirs = LlamaForCausalLM(config)
    assert sum(p.numel() for p in theirs.parameters()) == parameter_count(ours)
    theirs.load_state_dict(ours.state_dict(), strict=False)
    (row,) = bench._as_dataset([batch])
    with torch.no_grad():
        said = theirs(input_ids=row["input_ids"][None], labels=row["labels"][None]).loss
        targets = batch.targets.clone()
        targets[:, -1] = IGNORE  # the one target that lies behind the ids
        loss = ours.loss(batch.ids, targets) / (targets != IGNORE).sum()
    assert float(said) == pytest.approx(float(loss), rel=1e-4)


def test_ratios_of_a_tiny_model(
    small: Recipe, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = bench.beside_trainer
    counts: list[tuple[int, int]] = []

    def counted(*args: Any, **named: Any) -> tuple[list[float], list[float]]:
        found = given(*args, **{**named, "compiled": False})  # compiling takes a minute here
        counts.append((len(found[0]), len(found[1])))
        return found

    monkeypatch.setattr(bench, "beside_trainer", counted)
    monkeypatch.chdir(tmp_path)
    found = bench.measure(small, tokenizer_folder, 3, torch.device("cpu"))
    assert counts == [(3, 3), (3, 3)]
    assert 0 < found["trainer"] < 20
    assert 0 < found["heads"] < 20
    assert 0 < found["utilisation"] < 1
    assert not list(tmp_path.iterdir())


def test_legs_take_turns_and_warm_up_off_the_clock() -> None:
    seen: list[str] = []
    first, second = bench._in_turn([lambda: seen.append("a"), lambda: seen.append("b")], 2)
    assert (len(first), len(second)) == (2, 2)
    assert seen == ["b", "a", "a", "b"] * 2
