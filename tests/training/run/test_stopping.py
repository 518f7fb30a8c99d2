"""Runs driven to NaN, to a spike, onto a full disk: how they end and what they leave."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from completion.errors import CaretError, UsageError
from tests.training.tiny import HELD, TRAIN
from training.distributed import Group
from training.export.weights import read_weights
from training.loop import Inputs, Run
from training.recipe import BudgetRecipe, Recipe, recipe_table
from training.run.checkpoint import BEFORE, NAME, step_of
from training.run.metrics import read_rows
from training.run.watch import Watch


@pytest.fixture
def inputs(encoder: Tokenizer) -> Inputs:
    return Inputs(train=TRAIN, held_out=HELD, tokenizer=encoder)


@pytest.fixture
def often(recipe: Recipe) -> Recipe:
    """Saved behind every update; a spike is two updates out of line after six calm ones."""
    loop = replace(
        recipe.loop, checkpoint_every_minutes=0.0, spike_window=6, spike_updates=2,
        spike_deviations=4.0,
    )  # fmt: skip
    optim = replace(recipe.optim, ema_share=0.0, decay_share=0.0)
    return replace(recipe, loop=loop, optim=optim, budget=BudgetRecipe(tokens=40_000))


def speed_up(run: Run, step: int, factor: float) -> None:
    """From the update behind ``step`` on, rates are ``factor`` times what they were."""
    optimizers = run._optimizers
    usual = optimizers.step

    def faster(scale: float) -> None:
        usual(scale * (factor if run.position.step >= step else 1.0))

    optimizers.step = faster  # pyright: ignore[reportAttributeAccessIssue]


def test_rate_far_too_high_ends_in_a_spike_before_a_good_checkpoint(
    often: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    Run(often, inputs, tmp_path).train(stop_after_steps=12)
    run = Run(often, inputs, tmp_path)
    speed_up(run, 13, 1000.0)
    with pytest.raises(CaretError, match=r"the loss rose to .* stayed up for 2 updates") as caught:
        run.train()
    assert caught.value.exit_code == 1
    assert "\n" not in caught.value.message
    assert "lower optim.muon_lr" in caught.value.message
    good = step_of(tmp_path / NAME)
    assert f"the checkpoint and weights of step {good} are good" in caught.value.message
    assert good is not None
    assert good <= 13
    losses = {r["step"]: r["loss"] for r in read_rows(tmp_path) if "loss" in r}
    assert losses[run.position.step] > 1.05 * losses[good]
    index = read_weights(tmp_path)[1]
    assert index["step"] == good
    again = Run(often, inputs, tmp_path)  # what is kept is a run that goes on
    again.train(stop_after_steps=1)
    assert again.position.step == good + 1


def test_gradient_that_is_not_finite_stops_before_the_update(
    often: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    run = Run(often, inputs, tmp_path)
    speed_up(run, 4, 1e30)
    with pytest.raises(CaretError, match="is not finite in update") as caught:
        run.train()
    good = step_of(tmp_path / NAME)
    assert f"weights of step {good} are good" in caught.value.message
    kept = torch.load(tmp_path / NAME, weights_only=True)["model"]
    assert all(torch.isfinite(value).all() for value in kept.values())
    assert all(value.abs().max() < 1e3 for value in kept.values())


def test_poisoned_weights_are_not_stepped(often: Recipe, inputs: Inputs, tmp_path: Path) -> None:
    run = Run(often, inputs, tmp_path)
    with torch.no_grad():
        run.model.model.layers[0].mlp.up_proj.weight[0, 0] = float("nan")  # pyright: ignore
    before = {n: p.detach().clone() for n, p in run.model.named_parameters()}
    with pytest.raises(CaretError, match=r"update 1, .*; nothing was saved before"):
        run.train()
    for name, value in run.model.named_parameters():
        assert torch.equal(value, before[name]) or "up_proj" in name
    assert not (tmp_path / NAME).exists()


def test_one_odd_update_is_left_alone_and_a_flat_loss_is_no_alarm(often: Recipe) -> None:
    watch, step = Watch(often), 2
    for loss in [3.0] * 8 + [9.0] + [3.02] * 4 + [9.0] + [3.0] * 3:
        step += 1
        assert not watch.sees(step, loss)
    assert not watch.sees(step + 1, 9.0)
    assert watch.sees(step + 2, 9.0)
    assert watch.sound(step - 1, step + 2)
    assert not watch.sound(step, step + 2), "what update `step` left was seen in the spike"


def test_warm_up_is_never_a_spike_and_zero_switches_off(often: Recipe) -> None:
    long = replace(often, optim=replace(often.optim, warmup_steps=50))
    watch = Watch(long)
    assert not any(watch.sees(step, 100.0) for step in range(1, 51))
    assert not watch.sees(51, 100.0)
    assert watch.sees(52, 100.0), "behind the warm-up, worse than knowing nothing"
    off = Watch(replace(often, loop=replace(often.loop, spike_deviations=0.0)))
    assert not any(off.sees(step, 100.0) for step in range(1, 200))


def test_watch_goes_on_from_its_state(often: Recipe) -> None:
    first, second = Watch(often), Watch(often)
    for step in range(3, 12):
        first.sees(step, 3.0 + 0.01 * step)
    first.sees(12, 9.0)
    second.load(json.loads(json.dumps(first.state())))
    assert second.limit() == first.limit()
    assert second.sees(13, 9.0)


FULL = """
import resource, signal, sys, json
from dataclasses import replace
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
asked = json.load(sys.stdin)
from pathlib import Path
from completion.errors import CaretError
from tests.training.tiny import HELD, TRAIN
from training.loop import Inputs, Run
from training.recipe import recipe_from
from training.tokenizer import load_text_encoder
inputs = Inputs(train=TRAIN, held_out=HELD, tokenizer=load_text_encoder(Path(asked["tokenizer"])))
recipe, out = recipe_from(asked["recipe"]), Path(asked["out"])
Run(recipe, inputs, out).train(stop_after_steps=3)
size = (out / "checkpoint.pt").stat().st_size
for limit in (size - 10_000, size // 2, 5_000, 100):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        Run(recipe, inputs, out).train(stop_after_steps=1)
        print(json.dumps(["went on", limit]))
    except CaretError as error:
        print(json.dumps([error.message, error.exit_code]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    left = sorted(p.name for p in out.rglob("*.part"))
    assert not left, left
    again = Run(recipe, inputs, out)
    again.train(stop_after_steps=0)
    assert again.position.step == 3, again.position
"""


def test_full_disk_is_one_line_and_the_former_checkpoint_is_whole(
    recipe: Recipe, tokenizer_folder: Path, tmp_path: Path
) -> None:
    asked = {"recipe": recipe_table(recipe), "tokenizer": str(tokenizer_folder)}
    asked["out"] = str(tmp_path / "run")
    done = subprocess.run(
        [sys.executable, "-c", FULL], input=json.dumps(asked), capture_output=True, text=True,
        cwd=Path(__file__).parents[3], check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == 4
    for message, status in said:
        assert status == 1
        assert "cannot write" in message
        assert "make room" in message
        assert "\n" not in message


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("cut", "damaged or no checkpoint; remove it"),
        ("text", "damaged or no checkpoint; remove it"),
        ("other", "damaged or no checkpoint; remove it"),
        ("shape", r"embed_tokens.weight in its checkpoint is \(401, 32\), the recipe's model has"),
        ("missing", "norm.weight in its checkpoint is missing"),
        ("more", "its checkpoint has extra"),
        ("recipe", "has a recipe that this version cannot read"),
    ],
)
def test_wrong_checkpoint_is_one_line(
    recipe: Recipe, inputs: Inputs, tmp_path: Path, damage: str, message: str
) -> None:
    Run(recipe, inputs, tmp_path).train(stop_after_steps=1)
    path = tmp_path / NAME
    whole = torch.load(path, weights_only=True)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:20_000])
    elif damage == "text":
        path.write_text("no checkpoint")
    elif damage == "other":
        torch.save({"weights": torch.zeros(3)}, path)
    else:
        if damage == "shape":
            whole["model"]["model.embed_tokens.weight"] = torch.zeros(401, 32)
        elif damage == "missing":
            del whole["model"]["model.norm.weight"]
        elif damage == "more":
            whole["model"]["extra"] = torch.zeros(1)
        else:
            whole["recipe"]["unheard_of"] = 1
        torch.save(whole, path)
    with pytest.raises(UsageError, match=message) as caught:
        Run(recipe, inputs, tmp_path).train()
    assert "\n" not in caught.value.message


def test_damaged_checkpoint_can_be_removed_for_the_one_before(
    often: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    Run(often, inputs, tmp_path).train(stop_after_steps=4)
    before = step_of(tmp_path / BEFORE)
    (tmp_path / NAME).write_bytes(b"")
    with pytest.raises(UsageError, match=f"remove it to go on from {BEFORE}"):
        Run(often, inputs, tmp_path).train()
    (tmp_path / NAME).unlink()
    run = Run(often, inputs, tmp_path)
    run.train(stop_after_steps=1)
    assert before is not None
    assert run.position.step == before + 1


def test_what_does_not_decide_the_weights_may_change(
    recipe: Recipe, inputs: Inputs, tmp_path: Path
) -> None:
    Run(recipe, inputs, tmp_path).train(stop_after_steps=1)
    looser = replace(recipe, loop=replace(recipe.loop, log_every=3, spike_deviations=0.0))
    Run(looser, inputs, tmp_path).train(stop_after_steps=1)
    faster = replace(recipe, optim=replace(recipe.optim, muon_lr=0.01))
    with pytest.raises(UsageError, match="another recipe"):
        Run(faster, inputs, tmp_path).train()


def test_number_of_processes_is_kept(recipe: Recipe, inputs: Inputs, tmp_path: Path) -> None:
    Run(recipe, inputs, tmp_path).train(stop_after_steps=1)
    state = torch.load(tmp_path / NAME, weights_only=True)
    state["data"] *= 2
    torch.save(state, tmp_path / NAME)
    with pytest.raises(UsageError, match="begun with 2 processes"):
        Run(recipe, inputs, tmp_path, "cpu", Group()).train()
