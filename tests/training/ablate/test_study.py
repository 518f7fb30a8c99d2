"""A whole ablation of tiny models: real training, export and bits; the harness at its border."""

from __future__ import annotations

import dataclasses
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from completion.errors import CaretError, UsageError
from tests.training.test_commands import call, toml
from training.ablate import study
from training.ablate.figures import SUITES, Scores, scores_of
from training.ablate.measuring import Asking, completions
from training.ablate.study import shortened
from training.export.weights import read_weights
from training.recipe import Recipe, recipe_of_run

TOKENS = 1_500


def item(name: str, right: bool, ended: bool) -> dict[str, Any]:
    score = float(right)
    names = [name for suite in SUITES.values() for name in suite]
    scores = {**dict.fromkeys(names, score), "ended_by_model": float(ended)}
    return {"id": name, "raw": "x", "raw_end": "model" if ended else "length", "scores": scores}


class Harness:
    """Stands where ``caret eval`` is called; the model folder it is given must be whole."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda row, suite: None

    def __call__(
        self, model: Path, items: Path, suite: str, result: Path, asking: Asking
    ) -> Scores:
        row = model.parent.name
        self.before(row, suite)
        assert (model / "model.safetensors").is_file()
        assert (model / "config.json").is_file()
        self.asked.append((row, suite))
        right = {"all_on-1": 6, "all_on-2": 7, "all_off-1": 2, "all_off-2": 3}.get(row, 6)
        found = [item(f"i{n}", n < right, n % 2 == 0) for n in range(20)]
        result.write_text(json.dumps({"caret": {"version": "0"}, "items": found}))
        return scores_of(suite, {"items": found})


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Harness:
    found = Harness()
    monkeypatch.setattr(study, "completions", found)
    monkeypatch.setattr(study, "build_items", lambda suite, path: None)
    return found


@pytest.fixture
def words(recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, tmp_path: Path) -> list[str]:
    path = tmp_path / "tiny.toml"
    path.write_text(toml(recipe))
    words = ["--recipe", path, "--corpus", corpus_folder, "--tokenizer", tokenizer_folder]
    words += ["--out", tmp_path / "out", "--tokens", TOKENS, "--seeds", 1, "--device", "cpu"]
    return [str(word) for word in [*words, "--rows", "all_on,all_off"]]


@pytest.fixture(autouse=True)
def _signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_two_rows_end_to_end_and_nothing_is_run_twice(
    harness: Harness, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert call("ablate", *words, "--json") == 0
    table = json.loads(capsys.readouterr().out)
    assert harness.asked == [(f"{row}-1", s) for row in ("all_on", "all_off") for s in SUITES]
    assert {run["tokens"] >= TOKENS for run in table["runs"]} == {True}
    found = table["rows"]["all_off"]["exact_match"]
    assert found["figure"]["value"] == pytest.approx(2 / 20)
    assert found["difference"]["value"] == pytest.approx(-4 / 20)
    assert found["difference"]["high"] < 0
    assert table["verdicts"]["all_off"] in {"helps", "both"}
    bits = table["rows"]["all_on"]["bits_per_byte"]["figure"]
    assert 0.5 < bits["low"] < bits["value"] < bits["high"] < 9  # a tiny model, hardly trained
    for row in ("all_on", "all_off"):
        trained = out / "runs" / f"{row}-1" / "training"
        kept = recipe_of_run(read_weights(trained)[1]["recipe"])
        assert (kept.objectives.horizon == 0) == (row == "all_off")
        assert not list(trained.glob("checkpoint*.pt"))
    text = (out / "ablation.md").read_text()
    assert "| `all_off` |" in text
    assert "**−20.0 (" in text
    assert (out / "ablation.svg").read_text().count("all off") >= 1

    weights = [p.read_bytes() for p in sorted(out.glob("runs/*/training/weights.part*"))]
    assert call("ablate", *words) == 0
    assert len(harness.asked) == 4
    assert weights == [p.read_bytes() for p in sorted(out.glob("runs/*/training/weights.part*"))]

    (out / "ablation.md").unlink()
    assert call("ablate", "--report", out) == 0
    assert (out / "ablation.md").read_text() == text

    more = [*words[: words.index("--seeds") + 1], "2", *words[words.index("--seeds") + 2 :]]
    assert call("ablate", *more, "--json") == 0
    assert harness.asked[4:] == [(f"{row}-2", s) for row in ("all_on", "all_off") for s in SUITES]
    capsys.readouterr()


def test_a_killed_training_goes_on_to_the_weights_of_an_unbroken_one(
    harness: Harness, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [str(tmp_path / "whole") if w == str(tmp_path / "out") else w for w in words]
    assert call("ablate", *whole) == 0

    from training.loop import Run

    train, stops = Run.train, [2]
    monkeypatch.setattr(
        Run, "train", lambda run: train(run, stop_after_steps=stops.pop() if stops else None)
    )
    assert call("ablate", *words) == 130
    run = tmp_path / "out" / "runs" / "all_on-1"
    assert (run / "training" / "checkpoint.pt").is_file()
    assert not (run / "figures.json").exists()
    assert call("ablate", *words) == 0
    for row in ("all_on", "all_off"):
        path = f"runs/{row}-1/model/model.safetensors"
        assert (tmp_path / "out" / path).read_bytes() == (tmp_path / "whole" / path).read_bytes()


def test_a_kill_while_measuring_trains_nothing_again(
    harness: Harness, words: list[str], tmp_path: Path
) -> None:
    def kill(row: str, suite: str) -> None:
        if (row, suite) == ("all_on-1", "cardinal"):
            raise KeyboardInterrupt

    harness.before = kill
    with pytest.raises(KeyboardInterrupt):
        call("ablate", *words)
    weights = tmp_path / "out" / "runs" / "all_on-1" / "training" / "weights.json"
    kept = weights.stat().st_mtime_ns
    harness.before = lambda row, suite: None
    assert call("ablate", *words) == 0
    assert weights.stat().st_mtime_ns == kept


def test_a_recipe_key_that_a_later_version_adds_at_its_default_is_no_change(
    harness: Harness, words: list[str], tmp_path: Path
) -> None:
    assert call("ablate", *words) == 0
    path = tmp_path / "out" / "study.json"
    table = json.loads(path.read_text())
    del table["recipe"]["data"]["definitions_rate"]
    path.write_text(json.dumps(table))
    assert call("ablate", *words) == 0
    assert len(harness.asked) == 4


def test_another_ablation_in_the_same_folder_is_refused(harness: Harness, words: list[str]) -> None:
    assert call("ablate", *words) == 0
    words[words.index("--tokens") + 1] = str(2 * TOKENS)
    with pytest.raises(UsageError, match="holds an ablation with another recipe"):
        call("ablate", *words)


def test_a_shorter_run_warms_up_for_its_own_length(recipe: Recipe) -> None:
    short = shortened(recipe, 5_120)
    assert short.budget.tokens == 5_120
    assert short.optim.warmup_steps == 1  # ten updates, a tenth of them
    assert dataclasses.replace(short, budget=recipe.budget, optim=recipe.optim) == recipe


def test_a_budget_in_minutes_needs_tokens(words: list[str]) -> None:
    at = words.index("--tokens")
    path = Path(words[1])
    text = path.read_text().replace("tokens = 3000", "tokens = 0")
    path.write_text(text.replace("minutes = 0.0", "minutes = 1.0"))
    with pytest.raises(UsageError, match="give --tokens N"):
        call("ablate", *words[:at], *words[at + 2 :])


def test_options_that_are_missing_are_named() -> None:
    with pytest.raises(UsageError, match="--recipe is missing"):
        call("ablate", "--corpus", "x")
    with pytest.raises(UsageError, match="holds no ablation"):
        call("ablate", "--report", "/nowhere")


def test_what_the_harness_says_is_wrong_is_said_on_one_line(tmp_path: Path) -> None:
    asking = Asking(limit=1, workers=1, device="cpu", arm="spm")
    with pytest.raises(CaretError, match="caret eval slices failed: ") as error:
        completions(
            tmp_path / "none", tmp_path / "none.jsonl", "slices", tmp_path / "r.json", asking
        )
    assert "\n" not in error.value.message


def test_only_a_right_middle_that_the_model_ended_ends_rightly() -> None:
    found = [item("a", True, True), item("b", True, False), item("c", False, True)]
    found.append({**item("d", True, True), "raw": None})
    scores = scores_of("slices", {"items": found})
    assert {k: v[0] for k, v in scores["ended_rightly"].items()} == {"a": 1, "b": 0, "c": 0, "d": 0}
