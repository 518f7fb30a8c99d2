from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.errors import UsageError
from eval.build.builders import load
from eval.build.spread import spread, top_folder
from eval.build.tree import MAX_BYTES, checksum, read_tree
from eval.engines.requests import request_for
from eval.item import Ask
from tests.eval.build.nasty import FILES, write_tree


def test_python_comes_first_then_paths_in_order(tmp_path: Path) -> None:
    files = {"b.py": b"1\n", "a.js": b"1\n", "z/a.py": b"1\n", "a.py": b"1\n", "x.txt": b"1\n"}
    tree = read_tree(write_tree(tmp_path, files))
    assert [file.path for file in tree.files] == ["a.py", "b.py", "z/a.py", "a.js"]
    assert tree.files[-1].language == "javascript"


def test_content_and_path_decide_the_checksum_and_nothing_else_does(tmp_path: Path) -> None:
    first = read_tree(write_tree(tmp_path / "one")).sha256
    other = tmp_path / "elsewhere" / "two"
    write_tree(other, dict(reversed(FILES.items())))
    for path in other.iterdir():
        os.utime(path, (1, 1))
    (other / ".hidden.py").write_text("x = 1\n")
    assert read_tree(other).sha256 == first
    (other / "plain.py").rename(other / "plane.py")
    assert read_tree(other).sha256 != first
    (other / "plane.py").rename(other / "plain.py")
    (other / "plain.py").write_bytes(FILES["plain.py"] + b"#")
    assert read_tree(other).sha256 != first


@given(st.dictionaries(st.text(min_size=1), st.binary()), st.randoms())
def test_checksum_does_not_depend_on_order(files: dict[str, bytes], rng) -> None:
    rows = list(files.items())
    before = checksum(rows)
    rng.shuffle(rows)
    assert checksum(rows) == before


def test_text_that_moves_between_path_and_content_changes_the_checksum() -> None:
    assert checksum([("ab", b"c")]) != checksum([("a", b"bc")])


def test_what_is_not_source_is_left_out_and_counted(tmp_path: Path) -> None:
    write_tree(tmp_path, {
        "ok.py": b"x\n", "node_modules/a.py": b"x\n", "_vendor/a.py": b"x\n", ".git/a.py": b"x\n",
        "env/pyvenv.cfg": b"", "env/a.py": b"x\n", "zero.py": b"\0\n", "latin.py": b"\xe9\n",
        "large.py": b"#" * (MAX_BYTES + 1),
    })  # fmt: skip
    tree = read_tree(tmp_path)
    assert [file.path for file in tree.files] == ["ok.py"]
    assert tree.skipped == {"binary": 1, "not UTF-8": 1, "over 1 MiB": 1}


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = write_tree(tmp_path / "outside", {"secret.py": b"x\n"})
    root = write_tree(tmp_path / "root", {"a.py": b"x\n"})
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "file.py").symlink_to(outside / "secret.py")
    assert [file.path for file in read_tree(root).files] == ["a.py"]


def test_one_file_is_a_tree(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": b"x\n", "b.py": b"x\n"})
    assert [file.path for file in read_tree(tmp_path / "a.py").files] == ["a.py"]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_tree_that_is_not_there_or_has_no_source_is_a_usage_error(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=name):
        read_tree(tmp_path / name)


def test_every_head_is_spread_over_folders_then_files() -> None:
    places = [f"a/{n}.py" for n in range(9)] * 5 + ["b/0.py"] * 5
    ordered = spread(enumerate(places), (lambda p: top_folder(p[1]), lambda p: p[1]), lambda p: p)
    assert [top_folder(path) for _, path in ordered[:10]].count("b") == 5
    assert len({path for _, path in ordered[:14]}) == 10
    assert sorted(ordered) == list(enumerate(places))


def test_names_that_are_no_utf8_are_left_out_counted_and_told(tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"tree\xff")
    write_tree(root, {"ok.py": FILES["plain.py"]})
    for name in (b"bad\xff.py", b"folder\xfe/a.py", b"folder\xfe/b.py"):
        path = root / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("x = 1\n")
    tree = read_tree(root)
    assert [file.path for file in tree.files] == ["ok.py"]
    assert tree.skipped == {"name not UTF-8": 3}
    tree.name.encode("utf-8")
    (told,) = (w for w in load("cardinal", root).warnings if "name not UTF-8" in w)
    assert "3 files" in told
    for item in load("slices", root).items:
        request_for(item, Ask(), include_raw=False).SerializeToString()
