"""`caret bench drafts`: two services on a small workspace, one of which drafts."""

import json

import pytest

from completion.cli import main
from eval.bench.generated import module, path_of


@pytest.mark.engine
def test_every_row_is_a_ratio_of_one_run(tmp_path, monkeypatch):
    monkeypatch.setattr("eval.bench.drafts.TOKENS", 24)
    monkeypatch.setattr("eval.bench.drafts.TOGETHER", (1, 3))
    for number in range(12):
        path = tmp_path / "code" / path_of(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(module(number, 12) * 3)
    found = tmp_path / "rows.json"
    words = ["bench", "drafts", "--workspace", str(tmp_path / "code"), "--rounds", "5"]
    assert main([*words, "--json", str(found)]) in (0, 1), "whether it pays is the machine's to say"
    rows = json.loads(found.read_text())["rows"]
    assert len(rows) == 8
    assert all(row["ratio"] > 0 and 1 <= row["runs"] <= 5 for row in rows), (
        "a round without tokens does not count"
    )
    assert sum("a whole completion" in row["name"] for row in rows) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workspace", "/none/here"], "no such folder"),
        (["--generated-files", "9"], "it is for `caret bench context`"),
    ],
)
def test_a_wrong_folder_is_said_before_anything_starts(words, said, capsys):
    assert main(["bench", "drafts", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_without_source_is_said(tmp_path, capsys):
    (tmp_path / "short.py").write_text("x = 1\n")
    assert main(["bench", "drafts", "--workspace", str(tmp_path)]) == 2
    assert "long enough" in capsys.readouterr().err
