"""Curves for TensorBoard, rates, and the time that is left."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tests.training.tiny import HELD, TRAIN
from training.loop import Inputs, Run
from training.recipe import BudgetRecipe, Recipe
from training.run.board import Board
from training.run.keeping import Position
from training.run.metrics import append_row, read_rows
from training.run.report import Speed, seconds_left


def test_curves_of_a_resumed_run_have_every_step_once(
    recipe: Recipe, encoder: Tokenizer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step beyond the checkpoint was written, as before a kill; the reader drops it."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    inputs = Inputs(train=TRAIN, held_out=HELD, tokenizer=encoder)
    Run(recipe, inputs, tmp_path).train(stop_after_steps=3)
    lost = Board(tmp_path, 4)
    lost.add(4, {"loss": 99.0})
    lost.close()
    recipe = replace(recipe, loop=replace(recipe.loop, evaluate_every_minutes=0.0))
    Run(recipe, inputs, tmp_path).train()
    read = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    rows = [r for r in read_rows(tmp_path) if "loss" in r]
    found = [(e.step, e.value) for e in read.Scalars("train/loss")]
    assert [s for s, _ in found] == [r["step"] for r in rows]
    assert [v for _, v in found] == pytest.approx([r["loss"] for r in rows], rel=1e-6)
    assert set(read.Tags()["scalars"]) == {
        "train/loss", "train/bits_per_byte", "train/gradient_norm", "train/rate_scale",
        "held_out/bits_per_byte", "speed/tokens_per_second", "speed/flop_utilisation",
        "heads/horizon", "heads/next_type",
    }  # fmt: skip
    assert all(0 < r["utilisation"] < 2 for r in rows)
    assert "% of peak FLOPs" in capsys.readouterr().err


def test_without_the_package_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    stream = io.StringIO()
    board = Board(tmp_path, 1, stream=stream)
    board.add(1, {"loss": 1.0})
    board.close()
    assert stream.getvalue().count("\n") == 1
    assert "pip install tensorboard" in stream.getvalue()
    assert not list(tmp_path.iterdir())


def test_time_left_follows_whichever_budget_there_is() -> None:
    here = Position(tokens=400, seconds=90.0)
    assert seconds_left(BudgetRecipe(tokens=1000), here, 30.0) == pytest.approx(20.0)
    assert seconds_left(BudgetRecipe(minutes=2.0), here, 30.0) == pytest.approx(30.0)
    assert seconds_left(BudgetRecipe(minutes=1.0), here, 30.0) == 0.0


def test_speed_counts_from_its_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("training.run.report.time.monotonic", lambda: now[0])
    speed = Speed(1000.0)
    speed.count(30, 600.0)
    now[0] += 2
    assert speed.take() == {"speed": 15.0, "utilisation": 0.3}
    now[0] += 1
    speed.count(10, 0.0)
    assert speed.take() == {"speed": 10.0, "utilisation": 0.0}
    for flops in (1100.0, 500.0):  # a peak that is beaten was none
        now[0] += 1
        speed.count(10, flops)
        assert speed.take() == {"speed": 10.0}


@pytest.mark.parametrize("torn", ['{"step": 2, "lo', "17", "\x00\x00\x00", "[]", "\udcff"])
def test_torn_last_line_of_metrics_counts_as_unwritten(tmp_path: Path, torn: str) -> None:
    append_row(tmp_path, {"step": 1, "loss": 2.0})
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(torn.encode("utf-8", "surrogateescape"))
    assert read_rows(tmp_path) == [{"step": 1, "loss": 2.0}]
