from __future__ import annotations

import json
from pathlib import Path

import pytest

from completion.errors import UsageError
from eval.build.builders import BUILDERS, build, load
from eval.build.built import read_built, write_built
from eval.build.tree import read_tree
from tests.eval.build.nasty import FILES, write_tree


@pytest.fixture
def tree(tmp_path: Path):
    lines = "".join(f"    value_{n} = compute(values[{n}], scale)\n" for n in range(14))
    typed = {"inner/typed.py": f"def f(values, scale):\n{lines}".encode()}
    return read_tree(write_tree(tmp_path / "tree", FILES | typed))


@pytest.mark.parametrize("suite", sorted(BUILDERS))
def test_a_file_gives_back_what_was_built_and_the_same_bytes_each_time(
    tmp_path: Path, tree, suite: str
) -> None:
    built = build(suite, tree, limit=40, seed=3)
    write_built(built, tmp_path / "a.jsonl")
    write_built(build(suite, read_tree(tmp_path / "tree"), limit=40, seed=3), tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert read_built(tmp_path / "a.jsonl", suite, built.version) == built


@pytest.mark.parametrize("suite", sorted(BUILDERS))
def test_a_tree_loads_as_the_file_built_from_it_does(tmp_path: Path, tree, suite: str) -> None:
    write_built(build(suite, tree), tmp_path / "a.jsonl")
    from_file, from_tree = load(suite, tmp_path / "a.jsonl"), load(suite, tmp_path / "tree")
    assert from_file == from_tree
    assert from_tree.data["sha256"] == tree.sha256
    assert str(tmp_path) not in json.dumps(dict(from_tree.data))


def test_a_file_that_was_cut_off_or_changed_is_a_usage_error(tmp_path: Path, tree) -> None:
    path = tmp_path / "a.jsonl"
    write_built(build("slices", tree, limit=20), path)
    whole = path.read_bytes()
    for harmed in (
        whole[: len(whole) // 2],
        whole[: whole[:-1].rindex(b"\n") + 1],
        whole[: whole.index(b"\n") + 1],
        whole.replace(b'"kind":"boundary"', b'"kind":"boundarY"', 1),
    ):
        path.write_bytes(harmed)
        with pytest.raises(UsageError, match="cut off or changed"):
            load("slices", path)


def test_a_file_of_another_suite_or_version_or_kind_is_a_usage_error(tmp_path: Path, tree) -> None:
    path = tmp_path / "a.jsonl"
    write_built(build("slices", tree, limit=20), path)
    with pytest.raises(UsageError, match="not for cardinal"):
        load("cardinal", path)
    with pytest.raises(UsageError, match="version 0"):
        read_built(path, "slices", "0")
    for text in (b"", b"{}\n", b"[]\n", b"null\n", b"\xff\n", b'{"task_id": 1}\n'):
        path.write_bytes(text)
        with pytest.raises(UsageError, match="no header"):
            load("slices", path)
    path.write_bytes(b'{"caret_built": 99}\n')
    with pytest.raises(UsageError, match="format 99"):
        load("slices", path)
    path.write_bytes(b'{"caret_built": 1, "suite": "slices"}\n')
    with pytest.raises(UsageError, match="lacks"):
        load("slices", path)
    with pytest.raises(UsageError, match="No such file"):
        load("slices", tmp_path / "missing.jsonl")


def test_a_tree_without_python_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Python"):
        load("cardinal", write_tree(tmp_path, {"a.js": b"f(x)\n"}))
