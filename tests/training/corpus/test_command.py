from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from completion.errors import UsageError
from tests.training.tiny import source
from training.commands import corpus
from training.corpus.shards import read_documents, read_manifest


def call(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    corpus.configure(parser)
    return corpus.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shelf"
    made.mkdir()
    (made / "a.go").write_text(source("apple"))
    (made / "b.py").write_text(source("bear"))
    return made


@pytest.fixture
def common(tmp_path: Path) -> tuple[str | Path, ...]:
    held = tmp_path / "held.toml"
    held.write_text("")
    return ("--out", tmp_path / "corpus", "--held-out", held, "--processes", "1")


def test_folders_alone_become_a_corpus_that_is_told_by_language(
    folder: Path, common: tuple[str | Path, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--folder", folder, "--folders-only", "--licence", "Apache-2.0", *common)
    assert call(*words) == 0
    said = capsys.readouterr().out
    assert "train: 2 of 2 files" in said
    assert "MB of go" in said
    manifest = read_manifest(tmp_path / "corpus")
    assert manifest["packages"]["shelf"]["licence"] == "Apache-2.0"
    assert {d.path for d in read_documents(tmp_path / "corpus")} == {"a.go", "b.py"}


def test_two_folders_of_one_name_are_two_sources(
    folder: Path, common: tuple[str | Path, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other" / "shelf"
    other.mkdir(parents=True)
    (other / "c.rs").write_text(source("crab"))
    (other / "copy.py").write_text(source("bear"))
    folders = ("--folder", folder, "--folder", other, "--folders-only", "--licence", "MIT")
    assert call(*folders, *common, "--json") == 0
    total = json.loads(capsys.readouterr().out)["totals"]["train"]
    assert total["dropped"] == {"seen": 1}
    packages = read_manifest(tmp_path / "corpus")["packages"]
    assert {name: entry["files"] for name, entry in packages.items()} == {"shelf": 2, "shelf-2": 1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--folder", "/no/such"], "--folder /no/such: no such folder"),
        (["--licence", "MIT"], "need a --folder"),
        (["--folders-only"], "need a --folder"),
        (["--folder", "{folder}", "--licence", "GPL-3.0-only"], "not permissive; only permissive"),
        (["--folder", "{folder}", "--folder-bytes", "0"], "must be above 0"),
    ],
)
def test_wrong_calls_are_one_line(
    folder: Path, common: tuple[str | Path, ...], words: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        call(*(word.format(folder=folder) for word in words), *common)
    assert "\n" not in caught.value.message
