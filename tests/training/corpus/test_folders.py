from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from completion.errors import UsageError
from tests.training.tiny import source
from training.corpus.folders import list_folder
from training.corpus.reading import Unreadable, read_bounded
from training.corpus.sources import open_folder

MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy of this code"
GPL = "GNU General Public License, version 3. Everyone is permitted to copy this document as it is."


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(source(Path(path).stem))


def listed(root: Path) -> list[str]:
    return sorted(list_folder(root, trust=True).paths)


def test_code_of_all_languages_is_found_and_the_rest_counted(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "src/b.go", "src/deep/c.tsx", "logo.png", "node_modules/x/d.js")
    write(tmp_path, ".git/hooks/e.py", "env/lib/f.py", "lib/site-packages/g.py")
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr\n")
    (tmp_path / "tiny.py").write_text("x = 1\n")
    listing = list_folder(tmp_path, trust=True)
    assert sorted(listing.paths) == ["a.py", "src/b.go", "src/deep/c.tsx"]
    assert listing.dropped == {"no known language": 1, "vendored": 1, "too small": 1}


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git to compare with")
def test_ignored_files_are_those_that_git_ignores(tmp_path: Path) -> None:
    names = ["a", "b", "keep", "build", "gen", "x y", "#h", "!bang"]
    folders = ["", "build/", "src/", "src/build/", "src/gen/", "docs/", "docs/api/", "out.d/"]
    write(tmp_path, *(f"{folder}{name}.py" for folder in folders for name in names))
    (tmp_path / ".gitignore").write_text(
        "# a comment\n\n/build/\n*.log\ngen.py\n!src/gen.py\n/docs/*\n!/docs/api/\n\\#h.py\n"
        "\\!bang.py\nout.d\n!out.d/keep.py\n[z-a]\n!\nx\\ y.py   \n"
    )
    (tmp_path / "src" / ".gitignore").write_text("/a.py\n!gen.py\nbuild/*\n!build/keep.py\n")
    (tmp_path / "docs" / "api" / ".gitignore").write_text("*\n!b.py\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    command = ["git", "-C", tmp_path, "ls-files", "-z", "--others", "--exclude-standard"]
    said = subprocess.run(command, check=True, capture_output=True).stdout
    wanted = sorted(p for p in os.fsdecode(said).split("\0") if p.endswith(".py"))
    assert {"keep.py", "docs/api/b.py", "src/gen/a.py", "src/build/keep.py"} <= {*wanted}
    assert len(wanted) < len(folders) * len(names) / 2
    assert listed(tmp_path) == wanted


def test_no_link_is_followed_and_no_pipe_or_device_opened(tmp_path: Path) -> None:
    write(tmp_path, "in/a.py")
    (tmp_path / "in" / "loop").symlink_to("..")
    (tmp_path / "in" / "self.py").symlink_to("self.py")
    (tmp_path / "in" / "twice.py").symlink_to("a.py")
    os.mkfifo(tmp_path / "in" / "pipe.py")
    with pytest.raises(Unreadable, match="not a file"):
        read_bounded(tmp_path / "in" / "pipe.py", 100)
    with pytest.raises(Unreadable, match="unreadable"):
        read_bounded(tmp_path / "in" / "twice.py", 10**6)
    with pytest.raises(Unreadable, match="not a file"):
        read_bounded("/dev/zero", 100)
    listing = list_folder(tmp_path, trust=True)
    assert listing.paths == ["in/a.py"]
    assert listing.dropped == {"a link": 2, "not a file": 1, "no known language": 1}


def test_huge_file_is_not_read_whatever_its_size_was_when_listed(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "grows.py")
    with (tmp_path / "huge.py").open("wb") as file:
        file.truncate(2**30)
    package = open_folder(tmp_path, "x", "MIT")
    assert package.dropped == {"too large": 1}
    with (tmp_path / "grows.py").open("wb") as file:
        file.truncate(2**40)
    files = {f.path: (f.data, f.reason) for f in package.files(str, 0)}
    assert files["grows.py"] == (b"", "too large")
    assert files["a.py"][0] == (tmp_path / "a.py").read_bytes()


def test_file_that_went_away_or_may_not_be_read_is_counted(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "b.py", "sub/c.py", "sub/d.py")
    package = open_folder(tmp_path, "x", "MIT")
    (tmp_path / "a.py").unlink()
    shutil.rmtree(tmp_path / "sub")
    reasons = [f.reason for f in package.files(str, 0)]
    assert reasons == ["unreadable", "", "unreadable", "unreadable"]


def test_names_that_are_not_utf8_are_read(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.py"
    Path(os.fsdecode(path)).write_text(source("cafe"))
    files = list(open_folder(tmp_path, "x", "MIT").files(str, 0))
    assert os.fsencode(files[0].path) == b"caf\xe9.py"
    assert files[0].data.decode() == source("cafe")


def test_deep_tree_needs_no_stack(tmp_path: Path) -> None:
    here = tmp_path.joinpath(*["d"] * 200)
    here.mkdir(parents=True)
    write(here, "a.py")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        assert list_folder(tmp_path, trust=True).paths == ["d/" * 200 + "a.py"]
    finally:
        sys.setrecursionlimit(limit)


def test_folder_inside_with_a_licence_that_is_not_permissive_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "theirs/b.py", "theirs/deep/c.py", "mit/d.py")
    (tmp_path / "theirs" / "COPYING").write_text(GPL)
    (tmp_path / "mit" / "LICENSE").write_text(MIT)
    listing = list_folder(tmp_path, trust=False)
    assert sorted(listing.paths) == ["a.py", "mit/d.py"]
    assert listing.dropped["a licence of its own"] == 2
    assert len(list_folder(tmp_path, trust=True).paths) == 4


def test_digest_changes_with_the_content_and_with_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "sub/b.py")
    first = list_folder(tmp_path, trust=True).digest
    assert list_folder(tmp_path, trust=True).digest == first
    (tmp_path / "sub" / "notes.txt").write_text("not code")
    assert list_folder(tmp_path, trust=True).digest == first
    (tmp_path / "sub" / "b.py").write_text(source("other"))
    assert list_folder(tmp_path, trust=True).digest != first


def test_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        open_folder(tmp_path / "none", "x")
