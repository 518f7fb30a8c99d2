"""A run goes on with the data that it was begun with, and with no other."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from completion.errors import UsageError
from tests.training.tiny import TRAIN, VOCABULARY
from training.corpus.shards import read_manifest, write_manifest
from training.recipe import Recipe
from training.run.session import run_training
from training.tokenizer import save_tokenizer, train_tokenizer


@pytest.fixture
def begun(recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, tmp_path: Path) -> Path:
    out = tmp_path / "run"
    run_training(recipe, corpus_folder, tokenizer_folder, out, "cpu")
    return out


def test_same_data_goes_on(
    recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, begun: Path
) -> None:
    assert run_training(recipe, corpus_folder, tokenizer_folder, begun, "cpu")["finished"]


def test_another_corpus_is_refused(
    recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, begun: Path, tmp_path: Path
) -> None:
    other = tmp_path / "corpus"
    shutil.copytree(corpus_folder, other)
    write_manifest(other, {**read_manifest(other), "checksum": "1" * 64})
    with pytest.raises(UsageError, match="begun with another corpus"):
        run_training(recipe, other, tokenizer_folder, begun, "cpu")


def test_another_tokenizer_of_the_same_size_is_refused(
    recipe: Recipe, corpus_folder: Path, begun: Path, tmp_path: Path
) -> None:
    other = tmp_path / "tokenizer"
    save_tokenizer(train_tokenizer([d.text[::-1] for d in TRAIN], VOCABULARY), other)
    kept = (begun / "tokenizer" / "tokenizer.json").read_bytes()
    assert (other / "tokenizer.json").read_bytes() != kept
    with pytest.raises(UsageError, match="begun with another tokenizer"):
        run_training(recipe, corpus_folder, other, begun, "cpu")
    assert (begun / "tokenizer" / "tokenizer.json").read_bytes() == kept


def test_another_recipe_is_refused(
    recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, begun: Path
) -> None:
    other = dataclasses.replace(recipe, seed=recipe.seed + 1)
    with pytest.raises(UsageError, match="another recipe"):
        run_training(other, corpus_folder, tokenizer_folder, begun, "cpu")
