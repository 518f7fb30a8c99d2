"""`caret bench context`: a generated workspace, really indexed, gathered in and typed beside."""

from __future__ import annotations

import ast
import json
import tempfile
from pathlib import Path

import pytest

from completion.cli import main
from completion.config import ContextConfig
from eval.bench import context
from eval.bench.generated import path_of, write_workspace


def test_the_generated_workspace_is_the_same_each_time_and_its_imports_are_there(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_workspace(tmp_path / name, 130)
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.py"))
    assert len(files) == 130 + 2  # a package more for each hundred
    for path in files:
        text = (tmp_path / "one" / path).read_text()
        assert text == (tmp_path / "two" / path).read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                module = tmp_path / "one" / (node.module.replace(".", "/") + ".py")
                defined = {getattr(one, "name", "") for one in ast.parse(module.read_text()).body}
                assert {alias.name for alias in node.names} <= defined
    assert path_of(129) in {path.as_posix() for path in files}


def test_a_small_workspace_is_measured_and_nothing_of_it_stays(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(context, "_WARM_S", 0.0)  # jedi may be late: that is no error
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    status = main(["bench", "context", "--generated-files", "60", "--rounds", "2", "--json", "-"])
    said = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in said["rows"]}
    assert said["suite"] == "context"
    assert status == (0 if all(row["holds"] for row in rows.values()) else 1)
    for source in ("definitions", "imports", "recent edits", "open files", "viewed", "all"):
        times = [
            rows[f"gathering, {source}, {one}, ms"]["ratio"] for one in ("p50", "p95", "worst")
        ]
        assert 0 < times[0] <= times[1] <= times[2]
        assert rows[f"gathering, {source}, p50, ms"]["runs"] == 2
    assert rows["index, CPU ms a file"]["runs"] == 61  # the package's own file too
    assert rows["index, memory at its peak, MiB"]["ratio"] > 1
    assert rows["a change, with context over without, p50"]["ratio"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_source_is_held_against_its_own_time():
    config = ContextConfig()
    times = {"definitions": [1600.0], "viewed": [100.0, 900.0], "all": [1600.0]}
    rows = {row.name: row for row in context._of_gathering(times, config)}
    assert not rows["gathering, definitions, p95, ms"].holds
    assert rows["gathering, definitions, worst, ms"].holds  # within the grace
    assert rows["gathering, viewed, p50, ms"].bar == config.windows_ms
    assert not rows["gathering, viewed, worst, ms"].holds
    assert list(rows)[-1] == "gathering, all, worst, ms"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["latency", "--workspace", "."], "it is for `caret bench context`"),
        (["context", "--workspace", ".", "--generated-files", "9"], "name one"),
        (["context", "--generated-files", "-1"], "at least 0"),
        (["context", "--workspace", "not/there"], "no such folder"),
    ],
)
def test_flags_that_mean_nothing_are_refused(words, message, capsys):
    assert main(["bench", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_workspace_without_source_files_is_refused(tmp_path: Path, capsys):
    (tmp_path / "notes.txt").write_text("nothing\n" * 50)
    assert main(["bench", "context", "--workspace", str(tmp_path)]) == 2
    assert "no source file in it that may be read" in capsys.readouterr().err
