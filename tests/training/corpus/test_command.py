from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from completion.errors import UsageError
from tests.training.tiny import source
from training.commands import corpus
from training.corpus.mapped import FOLDER, is_mapped
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
    said = json.loads(capsys.readouterr().out)
    assert said["totals"]["train"]["dropped"] == {"seen": 1}
    assert is_mapped(tmp_path / "corpus", tmp_path / "corpus" / FOLDER, ordered=False)
    assert said["mapped"]["documents"] == 3
    assert said["mapped"]["bytes"] == said["totals"]["train"]["bytes"]
    assert said["mapped"]["definition"] == 12
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


def test_ray_that_is_not_installed_is_one_line_that_says_how_to_get_it(
    folder: Path, common: tuple[str | Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ("--folder", folder, "--folders-only", "--licence", "MIT", *common, "--ray")
    with pytest.raises(UsageError, match=r"pip install 'caret-completion\[scale\]'"):
        call(*words)


def test_ray_is_refused_where_it_would_do_nothing(
    common: tuple[str | Path, ...], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="leave out --ray"):
        call("--refine", tmp_path, "--tokenizer", tmp_path, *common, "--ray")
    with pytest.raises(UsageError, match="give HOST:PORT"):
        call("--folder", tmp_path, "--folders-only", *common, "--ray", "ray://127.0.0.1:1")


def test_map_of_a_corpus_makes_the_order_of_imports_too(
    folder: Path, common: tuple[str | Path, ...], tmp_path: Path
) -> None:
    assert call("--folder", folder, "--folders-only", "--licence", "MIT", *common) == 0
    assert not is_mapped(tmp_path / "corpus", tmp_path / "corpus" / "mapped", ordered=True)
    assert call("--map", tmp_path / "corpus", "--processes", "1") == 0
    assert is_mapped(tmp_path / "corpus", tmp_path / "corpus" / "mapped", ordered=True)
