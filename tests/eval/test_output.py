"""Where a command may write: to a regular file or a new one, through links, and nowhere else."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from completion.errors import UsageError
from eval.output import output_file, write_output


def test_a_new_file_in_new_folders_is_fine_and_none_is_made_yet(tmp_path: Path):
    path = tmp_path / "a" / "b" / "r.json"
    assert output_file("--json", path) == path
    assert not list(tmp_path.iterdir())
    write_output("--json", path, "x")
    assert path.read_text() == "x"
    assert [one.name for one in path.parent.iterdir()] == ["r.json"]


def test_a_link_is_what_it_points_to_there_or_not_yet(tmp_path: Path):
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    assert output_file("--json", link) == target
    target.write_text("old")
    write_output("--json", output_file("--json", link), "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path):
    pipe, folder, ring = tmp_path / "pipe", tmp_path / "folder", tmp_path / "ring"
    os.mkfifo(pipe)
    folder.mkdir()
    ring.symlink_to(ring)
    (tmp_path / "to-pipe").symlink_to(pipe)
    (tmp_path / "file").write_text("mine")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        for name, said in {
            "pipe": "is a pipe", "to-pipe": "is a pipe", "folder": "is a folder",
            "socket": "is a socket", "ring": "ring", "file/below": "", "n" * 300: "too long",
        }.items():  # fmt: skip
            with pytest.raises(UsageError, match="--json") as caught:
                output_file("--json", tmp_path / name, hint=", or leave it out")
            assert said in caught.value.message
            assert "\n" not in caught.value.message
    with pytest.raises(UsageError, match="/dev/null is a device; name a file, or leave it out"):
        output_file("--json", "/dev/null", hint=", or leave it out")
    with pytest.raises(UsageError, match="is a folder"):
        output_file("--json", "/")
    with pytest.raises(UsageError, match="no folder"):
        output_file("--json", tmp_path / "new" / "r.json", new_folders=False)
    with pytest.raises(UsageError, match="empty"):
        output_file("--json", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="permission"):
        output_file("--json", tmp_path / "r.json")
