from __future__ import annotations

import json
from pathlib import Path

import pytest

from completion.cli import main
from tests.eval.build.nasty import write_tree


def test_build_writes_the_same_bytes_for_the_same_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = str(write_tree(tmp_path / "tree"))
    outs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for out in outs:
        assert main(["eval", "build", "cardinal", tree, "--out", str(out), "--limit", "30"]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()
    capsys.readouterr()
    call = ["eval", "build", "slices", tree, "--out", str(outs[0]), "--limit", "30", "--json"]
    assert main(call) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["items"] == sum(table["kinds"].values()) == 30
    assert table["tree"]["name"] == "tree"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["repobench", "TREE", "--out", "OUT"], "cardinal and slices and nodes and replay are"),
        (["cardinal", "TREE/none", "--out", "OUT"], "no such folder"),
        (["cardinal", "TREE", "--out", "OUT", "--limit", "0"], "--limit must be at least 1"),
        (["cardinal", "TREE", "--out", "OUT", "--seed", "-1"], "--seed must be at least 0"),
        (["cardinal", "TREE", "--out", "TREE/items.json"], "must end in .jsonl"),
        (["cardinal", "TREE", "--out", "TREE/plain.py/items.jsonl"], "--out"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    tree = write_tree(tmp_path / "tree")
    words = [w.replace("TREE", str(tree)).replace("OUT", str(tmp_path / "o.jsonl")) for w in words]
    assert main(["eval", "build", *words]) == 2
    err = capsys.readouterr().err.strip()
    assert said in err
    assert "\n" not in err


def test_a_suite_without_data_says_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARET_DATA", str(tmp_path / "nothing"))
    assert main(["eval", "cardinal", "--engine", "oracle", "--json", "-"]) == 2
    assert "caret eval fetch" in capsys.readouterr().err


def test_fetch_into_a_file_is_a_wrong_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["eval", "fetch", str(tmp_path / "file")]) == 2
    assert "not a folder" in capsys.readouterr().err


@pytest.mark.parametrize(("engine", "accuracy"), [("oracle", 1.0), ("silent", 0.0)])
def test_a_suite_runs_from_a_tree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str, accuracy: float
) -> None:
    tree = str(write_tree(tmp_path / "tree"))
    for suite, metric in (
        ("cardinal", "accuracy"),
        ("slices", "exact_match_line"),
        ("nodes", "exact_match"),
    ):
        call = ["eval", suite, "--engine", engine, "--data", tree, "--no-baselines", "--quiet"]
        assert main([*call, "--json", str(tmp_path / f"{suite}.json")]) == 0
        result = json.loads((tmp_path / f"{suite}.json").read_text())
        assert result["metrics"][metric]["value"] == accuracy
        assert result["metrics"][f"{metric}_cut"]["value"] == accuracy
        assert result["metrics"][metric]["n"] == len(result["items"]) > 0
    capsys.readouterr()
