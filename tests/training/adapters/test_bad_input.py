"""Bases, recipes and folders that cannot be right: one line each, before anything is trained."""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from completion.errors import CaretError, UsageError
from tests.training.adapters.conftest import RECIPE, recipe_for, write_recipe
from training.adapters.base import Base, load_base
from training.run.session import run_training


def call(name: str, *words: str | Path) -> int:
    module = importlib.import_module(f"training.commands.{name}")
    parser = argparse.ArgumentParser()
    module.configure(parser)
    return module.run(parser.parse_args([str(w) for w in words]))


def refused(match: str, *words: str | Path) -> None:
    with pytest.raises(CaretError, match=match) as caught:
        call("train", *words)
    assert "\n" not in caught.value.message


def test_base_without_fim_tokens(bases: Any, corpus_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    shutil.copytree(bases("qwen"), folder)
    tree = json.loads((folder / "tokenizer.json").read_text())
    tree["added_tokens"] = [t for t in tree["added_tokens"] if "fim" not in t["content"]]
    (folder / "tokenizer.json").write_text(json.dumps(tree))
    refused("no fill-in-the-middle tokens", "--base", folder, "--recipe", "lora",
            "--corpus", corpus_folder, "--out", tmp_path / "run")  # fmt: skip


def test_base_with_pickled_weights_is_not_opened(
    bases: Any, corpus_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(bases("qwen"), folder)
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    refused("only pickled weights", "--base", folder, "--recipe", "lora",
            "--corpus", corpus_folder, "--out", tmp_path / "run")  # fmt: skip


def test_base_that_needs_code_of_its_own(bases: Any, corpus_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    shutil.copytree(bases("qwen"), folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text("raise SystemExit('it was run')\n")
    refused("code of its own", "--base", folder, "--recipe", "lora", "--corpus", corpus_folder,
            "--out", tmp_path / "run")  # fmt: skip


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ({**RECIPE, "model": {"width": 3}}, r"leave \[model\] out"),
        ({k: v for k, v in RECIPE.items() if k != "lora"}, r"need a table \[lora\]"),
        ({**RECIPE, "lora": {"rank": 0}}, "rank must be above 0"),
        ({**RECIPE, "lora": {"dropout": 1.0}}, "dropout must lie between"),
        ({**RECIPE, "lora": {"ranks": 4}}, "unknown key lora.ranks"),
        ({**RECIPE, "data": {"lengths": [4096]}}, "beyond model.context"),
        ({**RECIPE, "objectives": {"masked_identifiers": 0.1}}, "masked_identifiers needs"),
        ({**RECIPE, "lora": {"targets": ["no_such_layer"]}}, "no_such_layer"),
    ],
)  # fmt: skip
def test_recipe_that_does_not_fit(
    table: dict[str, Any], match: str, bases: Any, corpus_folder: Path, tmp_path: Path
) -> None:
    recipe = write_recipe(tmp_path / "r.toml", table)
    refused(match, "--base", bases("qwen"), "--recipe", recipe, "--corpus", corpus_folder,
            "--out", tmp_path / "run", "--device", "cpu")  # fmt: skip


def test_calls_that_do_not_go_together(bases: Any, corpus_folder: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "r.toml")
    common = ("--recipe", recipe, "--corpus", corpus_folder)
    base, out = ("--base", bases("qwen")), ("--out", tmp_path / "run")
    refused("exactly one of --tokenizer DIR and --base DIR", *common, *out)
    refused("exactly one of --tokenizer", *common, *base, "--tokenizer", tmp_path, *out)
    refused(r"\[lora\] needs a model to adapt", *common, "--tokenizer", tmp_path, *out)
    refused("--pack holds no base", *common, *base, "--pack", tmp_path / "pack")


def test_run_of_another_base_is_left_alone(
    qwen: Base, bases: Any, corpus_folder: Path, tmp_path: Path
) -> None:
    recipe = recipe_for(qwen, tmp_path / "r.toml", budget={"tokens": 600})
    run_training(recipe, corpus_folder, qwen.folder, tmp_path / "run", "cpu", qwen)
    other = load_base(str(bases("starcoder2")))
    with pytest.raises(UsageError, match="its adapters belong to qwen, not to starcoder2"):
        run_training(
            recipe_for(other, tmp_path / "o.toml"), corpus_folder, other.folder, tmp_path / "run",
            "cpu", other,
        )  # fmt: skip
    assert json.loads((tmp_path / "run" / "base.json").read_text())["name"] == "qwen"


def test_command_trains_and_exports(
    bases: Any, corpus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(tmp_path / "r.toml", {**RECIPE, "budget": {"tokens": 600}})
    run = tmp_path / "run"
    assert call("train", "--base", bases("qwen"), "--recipe", recipe, "--corpus", corpus_folder,
                "--out", run, "--device", "cpu", "--json") == 0  # fmt: skip
    assert json.loads(capsys.readouterr().out)["finished"]
    assert call("export", run, "--out", tmp_path / "model", "--json") == 0
    assert json.loads(capsys.readouterr().out)["base"] == "qwen"
    assert call("export", run, "--out", tmp_path / "adapter", "--adapter") == 0
    assert "of base qwen" in capsys.readouterr().out
    with pytest.raises(UsageError, match="--int8 is for models of one's own"):
        call("export", run, "--out", tmp_path / "x", "--int8")
