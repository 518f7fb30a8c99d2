from __future__ import annotations

import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from completion.errors import UsageError
from completion.syntax.token_types import TYPES
from tests.training.tiny import HELD, TRAIN
from training.data.examples import ExampleMaker
from training.data.rows import BatchStream
from training.export.weights import read_weights
from training.loop import Inputs, Run
from training.model import IGNORE, Decoder
from training.objectives.mixture import harder
from training.optim import Optimizers, rate_scale
from training.recipe import HORIZON_FORMS, PLAIN, BudgetRecipe, Recipe
from training.tokenizer import sentinels_of


@pytest.fixture
def inputs(encoder: Tokenizer) -> Inputs:
    return Inputs(train=TRAIN, held_out=HELD, tokenizer=encoder)


def rows(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def losses(folder: Path) -> list[tuple[int, float]]:
    return [(r["step"], r["loss"]) for r in rows(folder) if "loss" in r]


def test_resumed_run_has_the_very_losses_of_an_uninterrupted_one(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    assert Run(recipe, inputs, whole).train()
    for _ in range(2):
        assert not Run(recipe, inputs, parted).train(stop_after_steps=2)
    assert Run(recipe, inputs, parted).train()
    assert losses(parted) == losses(whole)
    assert len(losses(whole)) > 5
    ours, theirs = read_weights(parted)[0], read_weights(whole)[0]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_metrics_behind_the_checkpoint_are_dropped_on_resuming(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    Run(recipe, inputs, tmp_path).train(stop_after_steps=2)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": 3, "tokens": 1, "loss": 99.0}) + "\n")
    Run(recipe, inputs, tmp_path).train(stop_after_steps=1)
    assert [step for step, _ in losses(tmp_path)] == [1, 2, 3]
    assert losses(tmp_path)[-1][1] < 99


def test_loss_falls_and_the_end_is_measured(recipe: Recipe, inputs: Inputs, tmp_path: Path) -> None:
    longer = replace(recipe, budget=BudgetRecipe(tokens=20_000))
    run = Run(longer, inputs, tmp_path)
    assert run.train()
    found = [loss for _, loss in losses(tmp_path)]
    assert sum(found[-3:]) < 0.8 * sum(found[:3])
    last = rows(tmp_path)[-1]
    assert last["final"]
    assert last["chosen"] in {"last", "average"}
    _, index = read_weights(tmp_path)
    assert index["finished"]
    assert index["weights"] == last["chosen"]
    assert index["tokens"] == run.position.tokens >= 20_000


def test_budget_in_minutes_counts_accumulated_time(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    timed = replace(recipe, budget=BudgetRecipe(minutes=10.0))
    run = Run(timed, inputs, tmp_path)
    run.position.seconds = 300.0
    assert run.progress == pytest.approx(0.5)
    run.position.seconds = 700.0
    assert run.progress == 1.0


def test_sigterm_saves_and_ends(
    recipe: Recipe, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(recipe, inputs, tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    step = run._updater.step

    def step_and_signal(loss_of: Any) -> Any:
        if run.position.step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(loss_of)

    monkeypatch.setattr(run._updater, "step", step_and_signal)
    assert not run.train()
    assert run.position.step == 2
    assert signal.getsignal(signal.SIGTERM) is before
    again = Run(recipe, inputs, tmp_path)
    again.train(stop_after_steps=0)
    assert again.position.step == 2


def test_all_weights_zero_is_the_training_of_before_to_the_bit(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    """The loop as it was before there were objectives, spelled out with the decoder alone."""
    plain = replace(recipe, objectives=PLAIN)
    Run(plain, inputs, tmp_path).train(stop_after_steps=4)

    torch.manual_seed(recipe.seed)
    model = Decoder(recipe.model)
    optimizers = Optimizers(model, recipe.optim)
    ids = sentinels_of(inputs.tokenizer)
    maker = ExampleMaker(inputs.train, inputs.tokenizer, ids, recipe.data, recipe.seed)
    stream = BatchStream(maker, recipe.data.lengths, pad=ids.fim_pad, tokens=256)
    expected: list[tuple[int, float]] = []
    tokens = 0
    for step in range(4):
        nats, targets = 0.0, 0
        for _ in range(2):
            batch = stream.next()
            targets += int((batch.targets != IGNORE).sum())
            loss = model.loss(batch.ids, batch.targets)
            (loss / recipe.loop.batch_tokens).backward()
            nats += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.optim.clip)
        progress = min(1.0, tokens / recipe.budget.tokens)
        optimizers.step(rate_scale(recipe.optim, step=step, progress=progress))
        tokens += targets
        expected.append((step + 1, nats / targets))
    assert losses(tmp_path) == expected
    assert not {"horizon", "next_type"} & {key for row in rows(tmp_path) for key in row}
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["model"]
    assert all(torch.equal(saved[name], value) for name, value in model.state_dict().items())


def test_heads_learn_beside_the_decoder_and_say_their_loss(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    longer = replace(recipe, budget=BudgetRecipe(tokens=20_000))
    Run(longer, inputs, tmp_path).train()
    found = [r for r in rows(tmp_path) if "loss" in r]
    assert all(0 < r["horizon"] < 0.5 for r in found)
    types = [r["next_type"] for r in found]
    assert types[0] == pytest.approx(math.log(len(TYPES)), rel=1e-4)
    assert sum(types[-5:]) < 0.8 * sum(types[:5])
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert set(state["heads"]) == {"horizon.weight", "horizon.bias", "next_type.weight"}
    assert all(value.abs().max() > 0 for value in state["heads"].values())
    assert not any("head" in name for name in state["model"])


@pytest.mark.parametrize("form", HORIZON_FORMS)
def test_every_objective_together_is_learned_and_resumed(
    recipe: Recipe, inputs: Inputs, tmp_path: Path, form: str
) -> None:
    objectives = replace(recipe.objectives, horizon_form=form, masked_identifiers=0.1, horizon=0.3)
    mixture = harder(recipe.data.middles, {"arguments": 0.9, "body": 0.5, "name": 0.2})
    whole = replace(
        recipe, objectives=objectives, data=replace(recipe.data, middles=mixture),
        budget=BudgetRecipe(tokens=12_000),
    )  # fmt: skip
    assert Run(whole, inputs, tmp_path / "whole").train()
    found = [r for r in rows(tmp_path / "whole") if "loss" in r]
    for name in ("loss", "next_type"):
        values = [r[name] for r in found]
        assert sum(values[-5:]) < 0.85 * sum(values[:5]), name
    # Too few middles an update for the horizon's to fall visibly here; it must stay in its range.
    assert all(0 < r["horizon"] < 0.5 for r in found)
    Run(whole, inputs, tmp_path / "parted").train(stop_after_steps=3)
    Run(whole, inputs, tmp_path / "parted").train(stop_after_steps=3)
    assert losses(tmp_path / "parted") == losses(tmp_path / "whole")[:6]


def as_of_before(folder: Path) -> None:
    """Make the checkpoint one of the code that knew no objectives."""
    path = folder / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    del state["heads"], state["recipe"]["objectives"]
    torch.save(state, path)


def test_checkpoint_of_before_goes_on_with_all_weights_zero_and_no_other(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    plain = replace(recipe, objectives=PLAIN)
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    Run(plain, inputs, whole).train(stop_after_steps=4)
    Run(plain, inputs, parted).train(stop_after_steps=2)
    as_of_before(parted)
    with pytest.raises(UsageError, match=r"no heads of objectives; set every value of") as caught:
        Run(recipe, inputs, parted).train()
    assert "\n" not in caught.value.message
    Run(plain, inputs, parted).train(stop_after_steps=2)
    assert losses(parted) == losses(whole)


def test_heads_of_another_table_of_types_are_refused(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    Run(recipe, inputs, tmp_path).train(stop_after_steps=1)
    path = tmp_path / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    state["heads"]["next_type.weight"] = state["heads"]["next_type.weight"][:-1]
    torch.save(state, path)
    with pytest.raises(UsageError, match="heads in its checkpoint are of another version"):
        Run(recipe, inputs, tmp_path).train()


def test_folder_of_another_recipe_is_refused(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    Run(recipe, inputs, tmp_path).train(stop_after_steps=1)
    with pytest.raises(UsageError, match="another recipe"):
        Run(replace(recipe, seed=2), inputs, tmp_path).train()


def test_tokenizer_larger_than_the_recipe_is_refused(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    small = replace(recipe, model=replace(recipe.model, vocabulary=300))
    with pytest.raises(UsageError, match="the tokenizer has 400"):
        Run(small, inputs, tmp_path)


def test_finished_run_stays_as_it_is(recipe: Recipe, inputs: Inputs, tmp_path: Path) -> None:
    Run(recipe, inputs, tmp_path).train()
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert Run(recipe, inputs, tmp_path).train()
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_row_that_a_crash_cut_off_counts_as_unwritten(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    Run(recipe, inputs, tmp_path).train(stop_after_steps=2)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "lo')
    Run(recipe, inputs, tmp_path).train(stop_after_steps=1)
    assert [step for step, _ in losses(tmp_path)] == [1, 2, 3]
