"""A pack trains, stops, goes on and is exported, with none of Caret's other packages around."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from completion.errors import CaretError, UsageError
from training.corpus.shards import read_documents
from training.export.folder import ExportSettings, export
from training.export.weights import PART_BYTES
from training.pack import pack, size_of
from training.recipe import BudgetRecipe, Recipe

BLOCK = """
import sys

ABSENT = ("rich", "tree_sitter", "tree_sitter_python", "datasketch", "matplotlib", "vllm", "grpc")


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def packed(recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, tmp_path: Path) -> Path:
    timed = replace(recipe, budget=BudgetRecipe(tokens=4_000))
    folder = tmp_path / "pack"
    pack(timed, corpus_folder, tokenizer_folder, folder)
    return folder


def start(packed: Path, out: Path, tmp_path: Path) -> subprocess.Popen[str]:
    """Run the pack elsewhere, where only its own code and the four packages can be imported."""
    (tmp_path / "block").mkdir(exist_ok=True)
    (tmp_path / "block" / "sitecustomize.py").write_text(BLOCK)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"PYTHONPATH": str(tmp_path / "block"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(packed / "run.py"), "--out", str(out), "--device", "cpu"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_pack_trains_is_interrupted_goes_on_and_is_exported(
    packed: Path, corpus_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(packed, out, tmp_path)
    assert process.stderr is not None
    for line in process.stderr:
        if "step 1 " in line:
            process.send_signal(signal.SIGTERM)
            break
    stopped, errors = process.communicate()
    assert process.returncode == 0, errors
    first = json.loads(stopped)
    assert not first["finished"]
    process = start(packed, out, tmp_path)
    finished, errors = process.communicate()
    assert process.returncode == 0, errors
    last = json.loads(finished)
    assert last["finished"]
    assert last["step"] > first["step"] >= 1
    assert all(p.stat().st_size <= PART_BYTES for p in out.glob("weights.part-*"))
    about = export(ExportSettings(run=out, out=tmp_path / "model", corpus=corpus_folder))
    assert about["tokens_seen"] == last["tokens"]


def test_pack_imports_its_own_code_only(packed: Path) -> None:
    files = {p.relative_to(packed).as_posix() for p in packed.rglob("*.py")}
    assert {"run.py", "code/training/loop.py", "code/completion/prompt/snippets.py"} <= files
    assert not any("tests" in f or "vllm" in f for f in files)


def test_corpus_that_is_too_large_is_thinned_to_fit(
    recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, tmp_path: Path
) -> None:
    whole, thin = tmp_path / "whole", tmp_path / "thin"
    everything = pack(recipe, corpus_folder, tokenizer_folder, whole)
    assert everything["left_out"] == 0
    limit = everything["bytes"] - size_of(whole / "corpus") // 3
    result = pack(recipe, corpus_folder, tokenizer_folder, thin, limit=limit)
    assert size_of(thin) == result["bytes"] <= limit
    assert result["left_out"] > 0
    assert len(list(read_documents(thin / "corpus"))) == result["documents"]


def test_impossible_limit_and_used_folder_are_messages(
    recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, packed: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        pack(recipe, corpus_folder, tokenizer_folder, packed)
    with pytest.raises(CaretError, match="does not fit"):
        pack(recipe, corpus_folder, tokenizer_folder, tmp_path / "none", limit=1_000)
