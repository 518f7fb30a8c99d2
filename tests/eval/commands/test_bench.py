"""`caret bench`: flags that mean nothing, and rows that have no bar."""

from __future__ import annotations

import json

import pytest

from completion.cli import main
from eval.bench import start
from eval.bench.latency import Row


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["limit", "--plot", "a.jpg"], "ends in .png or .svg"),
        (["latency", "--second", "x"], "it is for `caret bench bytes` and `limit`"),
    ],
)
def test_flags_that_mean_nothing_are_refused(words, message, capsys):
    assert main(["bench", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("missed", "status"), [(False, 0), (True, 1)])
def test_a_row_without_a_bar_is_said_and_misses_nothing(
    monkeypatch, tmp_path, capsys, missed, status
):
    async def rows(*_):
        return [Row("a share", 0.25, None, 5), Row("a ratio", 2.0 if missed else 0.5, 1.0, 5)]

    monkeypatch.setattr(start, "rows", rows)
    file = tmp_path / "a.json"
    assert main(["bench", "start", "--json", str(file)]) == status
    share, ratio = json.loads(file.read_text())["rows"]
    assert share == {"name": "a share", "ratio": 0.25, "bar": None, "holds": True, "runs": 5}
    assert ratio["holds"] is not missed
    assert "a share" in capsys.readouterr().out
