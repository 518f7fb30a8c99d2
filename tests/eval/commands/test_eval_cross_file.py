"""``caret eval cross-file``: one file an arm, said what is in it, nothing half done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from completion.cli import main
from eval.suites import suite_named
from tests.eval.build.siblings import looking, write_siblings

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def tree(tmp_path: Path) -> str:
    return str(write_siblings(tmp_path / "tree"))


def test_the_suite_reads_what_was_built_and_snippets_keep_their_kinds(
    tmp_path: Path, tree: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("lsp.context.gather_now.Gathering", looking())
    suite = suite_named("crosscodeeval:python")
    ids: list[list[str]] = []
    for context, kinds in (
        ("none", ()),
        ("definition", ("definition",)),
        ("gathered", ("import",)),
    ):
        out = tmp_path / "new" / f"{context}.jsonl"
        assert main(["eval", "cross-file", tree, "--context", context, "--out", str(out)]) == 0
        loaded = suite.load(out)
        ids.append([item.id for item in loaded.items])
        assert {tuple(one.kind for one in item.related) for item in loaded.items} == {kinds}
    assert ids[0] == ids[1] == ids[2]
    assert len(ids[0]) == 3
    said = capsys.readouterr().out
    assert "the definition was among them in 100.0 %" in said
    assert "the definition was among them in 0.0 %" in said  # what stands in gathers nothing of use
    assert "(3 definition)" in said
    assert "(3 import)" in said
    assert "allowed: 4,096 bytes an item" in said


def test_the_same_call_writes_the_same_bytes(tmp_path: Path, tree: str) -> None:
    outs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for out in outs:
        assert main(["eval", "cross-file", tree, "--out", str(out), "--context", "definition"]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_what_was_not_known_is_one_line_with_counts(
    tmp_path: Path, tree: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    fake = looking(failed={"index": "indexing, 3 files so far"})
    monkeypatch.setattr("lsp.context.gather_now.Gathering", fake)
    call = ["eval", "cross-file", tree, "--context", "gathered", "--out", str(tmp_path / "o.jsonl")]
    assert main([*call, "--quiet", "--json", "--max-bytes", "99"]) == 0
    said = capsys.readouterr()
    table = json.loads(said.out)
    assert (table["items"], table["max_bytes"], table["kinds"]) == (3, 99, {"import": 3})
    assert table["lacking"] == {"index: indexing, 3 files so far": 3}
    (line,) = said.err.strip().splitlines()
    assert line.startswith("warning: not all was known")
    assert "index: indexing, 3 files so far (3 items)" in line


def test_a_run_that_is_stopped_leaves_no_file_and_spares_the_one_of_before(
    tmp_path: Path, tree: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lsp.context.gather_now.Gathering", looking(stops_at=2))
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.jsonl").write_text("before\n")
    for name in ("new.jsonl", "old.jsonl"):
        call = ["eval", "cross-file", tree, "--context", "gathered", "--out", str(out / name)]
        assert main(call) == 130
        monkeypatch.setattr("lsp.context.gather_now.Gathering", looking(stops_at=2))
    assert [one.name for one in out.iterdir()] == ["old.jsonl"]
    assert (out / "old.jsonl").read_text() == "before\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["TREE", "--out", "OUT.json"], "must end in .jsonl"),
        (["TREE", "--out", "OUT.jsonl", "--limit", "-1"], "--limit must be at least 0, not -1"),
        (["TREE", "--out", "OUT.jsonl", "--seed", "-1"], "--seed must be at least 0, not -1"),
        (
            ["TREE", "--out", "OUT.jsonl", "--max-bytes", "9"],
            "--max-bytes is of --context gathered",
        ),
        (["TREE", "--out", "OUT.jsonl", "--context", "gathered", "--max-bytes", "-9"], "not -9"),
        (["TREE/none", "--out", "OUT.jsonl"], "no such folder"),
        (["TREE/shop-1.0/shop/prices.py", "--out", "OUT.jsonl"], "no Python in it that uses names"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    tmp_path: Path, tree: str, capsys: Capture, words: list[str], said: str
) -> None:
    words = [w.replace("TREE", tree).replace("OUT", str(tmp_path / "o")) for w in words]
    assert main(["eval", "cross-file", *words]) == 2
    err = capsys.readouterr().err.strip()
    assert said in err
    assert "\n" not in err
