"""The user's own folders: whose they must be, and what is done where they cannot be had."""

from __future__ import annotations

import os
import stat
import sys

import pytest

from completion.errors import CaretError
from completion.wire.server_log import ServerLog
from completion.wire.user_folders import (
    open_private,
    private_folder,
    runtime_folder,
    state_folder,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners")


def test_the_runtime_folder_is_made_private(tmp_path):
    found = runtime_folder("s", {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert found == tmp_path / "caret"
    assert stat.S_IMODE(found.stat().st_mode) == 0o700


def test_a_folder_that_others_could_enter_is_closed_to_them(tmp_path):
    (tmp_path / "caret").mkdir(mode=0o777)
    found = runtime_folder("s", {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert stat.S_IMODE(found.stat().st_mode) == 0o700


@pytest.mark.parametrize("given", ["", "relative", "/nonexistent/run"])
def test_without_a_runtime_folder_it_is_in_the_cache(tmp_path, given):
    environ = {"XDG_RUNTIME_DIR": given, "XDG_CACHE_HOME": str(tmp_path)}
    assert runtime_folder("s", environ) == tmp_path / "caret" / "run"


def test_one_too_long_for_a_socket_is_passed_over(tmp_path):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    short = tmp_path / "c"
    environ = {"XDG_RUNTIME_DIR": str(long), "XDG_CACHE_HOME": str(short)}
    assert runtime_folder("s", environ) == short / "caret" / "run"
    with pytest.raises(CaretError, match="too long"):
        runtime_folder("s" * 100, environ)


def test_a_link_in_its_place_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "caret").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CaretError, match="no folder of its own"):
        private_folder(tmp_path / "caret")


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root gives folders away")
def test_another_users_folder_is_refused(tmp_path):
    (tmp_path / "caret").mkdir()
    os.chown(tmp_path / "caret", 12345, 12345)
    with pytest.raises(CaretError, match="another user"):
        private_folder(tmp_path / "caret")


def test_what_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CaretError, match="file"):
        private_folder(tmp_path / "file" / "caret")


def test_state_is_where_the_user_has_it(tmp_path):
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "caret"
    assert state_folder({}).parts[-3:] == (".local", "state", "caret")


def test_a_folder_that_others_could_exchange_is_refused(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(CaretError, match="anybody may write to"):
        private_folder(tmp_path / "open" / "caret")
    with pytest.raises(CaretError, match="anybody may write to"):
        private_folder(tmp_path / "open" / "deeper" / "caret")
    (tmp_path / "link").symlink_to(tmp_path / "open")
    with pytest.raises(CaretError, match="anybody may write to"):
        private_folder(tmp_path / "link" / "caret")
    (tmp_path / "open").chmod(0o1777)  # as /tmp is: only its owner renames a folder there
    assert private_folder(tmp_path / "open" / "caret").is_dir()


def test_a_file_is_opened_for_its_user_alone(tmp_path):
    path = tmp_path / "file"
    os.close(open_private(path, os.O_WRONLY))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o666)
    os.close(open_private(path, os.O_WRONLY))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder"])
def test_what_is_no_file_of_its_own_is_not_opened(tmp_path, kind):
    path, other = tmp_path / "file", tmp_path / "other"
    if kind == "link":
        other.write_text("theirs")
        path.symlink_to(other)
    elif kind == "dangling":
        path.symlink_to(other)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(OSError):  # systems differ in which
        os.close(open_private(path, os.O_RDWR))
    assert other.exists() is (kind == "link")


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root gives files away")
def test_another_users_file_is_not_opened(tmp_path):
    (tmp_path / "file").touch()
    os.chown(tmp_path / "file", 12345, 12345)
    with pytest.raises(PermissionError, match="another user"):
        open_private(tmp_path / "file", os.O_WRONLY)


def test_a_log_is_never_written_through_a_link(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("whole")
    log = tmp_path / "serve-x.log"
    log.symlink_to(victim)
    with ServerLog(log).opened() as file:
        file.write(b"lines of a server")
    assert victim.read_text() == "whole"
