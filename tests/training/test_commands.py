"""The commands end to end on a tiny corpus, through their own arguments."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from completion.errors import UsageError
from training.recipe import Recipe, recipe_table

NAMES = ("corpus", "tokenizer", "train", "ablate", "export")


def call(name: str, *words: str | Path) -> int:
    module = importlib.import_module(f"training.commands.{name}")
    parser = argparse.ArgumentParser()
    module.configure(parser)
    return module.run(parser.parse_args([str(w) for w in words]))


def toml(recipe: Recipe) -> str:
    """The recipe as TOML: flat tables of numbers, booleans, strings and lists."""
    table = recipe_table(recipe)
    flat = {k: v for k, v in table.items() if not isinstance(v, dict)}
    sections = {k: v for k, v in table.items() if isinstance(v, dict)}

    def inline(value: Any) -> str:
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{k} = {inline(v)}" for k, v in value.items()) + " }"
        return json.dumps(value)

    def lines(values: dict[str, Any]) -> str:
        return "".join(f"{k} = {inline(v)}\n" for k, v in values.items())

    return lines(flat) + "".join(f"\n[{k}]\n{lines(v)}" for k, v in sections.items())


@pytest.mark.parametrize("name", NAMES)
def test_command_has_help_and_options(name: str) -> None:
    module = importlib.import_module(f"training.commands.{name}")
    assert "\n" not in module.HELP
    parser = argparse.ArgumentParser()
    module.configure(parser)
    assert "--json" in parser.format_help()


def test_corpus_to_model(
    recipe: Recipe, corpus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer, run, model = tmp_path / "tok", tmp_path / "run", tmp_path / "model"
    path = tmp_path / "tiny.toml"
    path.write_text(toml(dataclasses.replace(recipe, name="from-toml")))
    assert call("tokenizer", "--corpus", corpus_folder, "--out", tokenizer, "--vocabulary", 400,
                "--json") == 0  # fmt: skip
    assert json.loads(capsys.readouterr().out)["vocabulary"] == 400
    train = ("--recipe", path, "--corpus", corpus_folder, "--tokenizer", tokenizer)
    assert call("train", *train, "--out", run, "--device", "cpu", "--json") == 0
    assert json.loads(capsys.readouterr().out)["finished"]
    assert call("export", run, "--out", model, "--corpus", corpus_folder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["name"] == "from-toml"
    assert call("train", *train, "--pack", tmp_path / "pack", "--json") == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == 0


def test_curriculum_from_a_result_is_in_the_recipe_of_the_run(
    recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    path, result = tmp_path / "tiny.toml", tmp_path / "r.json"
    path.write_text(toml(recipe))
    groups = {"arguments": {"exact_match": {"value": 0.0, "n": 50}},
              "name": {"exact_match": {"value": 1.0, "n": 50}}}  # fmt: skip
    result.write_text(json.dumps({"suite": "nodes", "schema": 1, "groups": groups}))
    common = ("--corpus", corpus_folder, "--tokenizer", tokenizer_folder, "--device", "cpu")
    run = ("train", "--recipe", path, *common, "--out", tmp_path / "run")
    assert call(*run, "--curriculum-from", result) == 0
    trained = json.loads((tmp_path / "run" / "weights.json").read_text())["recipe"]
    middles = trained["data"]["middles"]
    assert middles["random"] == 0.3
    assert middles["name"] == 0.02
    assert middles["arguments"] == pytest.approx(0.21)
    assert call(*run, "--curriculum-from", result) == 0  # the same command goes on
    with pytest.raises(UsageError, match="another recipe"):
        call(*run)


def test_wrong_calls_are_usage_errors(corpus_folder: Path, tmp_path: Path) -> None:
    common = ("--recipe", "xs", "--corpus", corpus_folder, "--tokenizer", tmp_path)
    with pytest.raises(UsageError, match="exactly one of --out DIR and --pack DIR"):
        call("train", *common)
    with pytest.raises(UsageError, match=r"no tokenizer\.json"):
        call("train", *common, "--out", tmp_path / "run")
    with pytest.raises(UsageError, match=r"no manifest\.json"):
        call("tokenizer", "--corpus", tmp_path, "--out", tmp_path / "t")
    with pytest.raises(UsageError, match="holds a corpus already"):
        call("corpus", "--out", corpus_folder)
    with pytest.raises(UsageError, match="go together"):
        call("corpus", "--out", tmp_path / "c", "--refine", corpus_folder)
    with pytest.raises(UsageError, match=r"no weights\.json"):
        call("export", tmp_path, "--out", tmp_path / "m")


def test_importing_training_loads_no_engine() -> None:
    code = (
        "import sys, training, training.loop, training.export.folder, training.commands.train\n"
        "assert not {'vllm', 'grpc', 'lsp'} & set(sys.modules), 'an engine was loaded'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0
