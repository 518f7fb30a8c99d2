"""What is read of a file for context: allowed, regular, bounded, text, with secrets masked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from completion.config import Config, ContextConfig
from completion.config_sources import merge
from completion.wire.environment import child_environment
from lsp.context import reading
from lsp.context.ignore import Rules
from lsp.context.reading import Refused, read


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "work/sub").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/o.py").write_text("outside = 1\n")
    (tmp_path / "work/a.py").write_text("a = 1\n")
    (tmp_path / "work/.env").write_text("A=1\n")
    return tmp_path / "work"


def refusal(rules: Rules, path: str | Path) -> str:
    with pytest.raises(Refused) as found:
        read(rules, Path(path))
    return found.value.reason


def test_a_file_of_the_workspace_is_read(root):
    rules = Rules.of(root, ContextConfig())
    assert read(rules, Path("a.py")) == b"a = 1\n" == read(rules, root / "a.py")


def test_what_lies_outside_is_not_read_by_any_way_in(root):
    rules = Rules.of(root, ContextConfig())
    (root / "link.py").symlink_to("../outside/o.py")
    (root / "folder").symlink_to("../outside")
    for path in (
        root / "../outside/o.py",
        "link.py",
        "folder/o.py",
        "sub/../../outside/o.py",
        "/etc/passwd",
    ):
        assert refusal(rules, path) == "outside", path


def test_a_link_to_what_is_refused_is_refused_for_the_same_reason(root):
    (root / ".gitignore").write_text("hidden.py\n")
    (root / "hidden.py").write_text("x = 1\n")
    (root / "notes.txt").symlink_to(".env")
    (root / "shown.py").symlink_to("hidden.py")
    (root / "same.py").symlink_to("a.py")
    rules = Rules.of(root, ContextConfig())
    assert refusal(rules, "notes.txt") == "secret" == refusal(rules, ".env")
    assert refusal(rules, "shown.py") == "ignored"
    assert read(rules, Path("same.py")) == b"a = 1\n"


def test_a_workspace_that_is_itself_a_link_is_read(root, tmp_path):
    (tmp_path / "alias").symlink_to(root)
    rules = Rules.of(tmp_path / "alias", ContextConfig())
    assert read(rules, tmp_path / "alias/a.py") == read(rules, root / "a.py") == b"a = 1\n"


def test_loops_pipes_folders_and_devices_are_refused_at_once(root):
    (root / "loop").symlink_to("loop")
    (root / "gone").symlink_to("nowhere")
    os.mkfifo(root / "pipe.py")
    rules = Rules.of(root, ContextConfig())
    for path in ("loop", "gone", "pipe.py", "sub"):
        assert refusal(rules, path) == "kind", path
    assert refusal(rules, "missing.py") == "unreadable"
    assert refusal(rules, "a\0b") in ("kind", "unreadable")


def test_a_link_put_in_place_after_the_look_is_not_followed(root, monkeypatch):
    rules = Rules.of(root, ContextConfig())
    judged = rules.allows(Path("a.py"))
    (root / "a.py").unlink()
    (root / "a.py").symlink_to("../outside/o.py")
    monkeypatch.setattr(rules, "allows", lambda path: judged)
    monkeypatch.setattr(reading.os.path, "realpath", lambda path: str(path))
    assert refusal(rules, "a.py") == "unreadable"


def test_size_binary_and_growth(root, monkeypatch):
    rules = Rules.of(root, ContextConfig(max_file_bytes=1000))
    (root / "big.py").write_bytes(b"x" * 1001)
    (root / "nul.py").write_bytes(b"x = '\0'")
    assert refusal(rules, "big.py") == "size" and refusal(rules, "nul.py") == "binary"
    (root / "grows.py").write_bytes(b"y" * 990)
    real = os.fstat

    def grown(fd: int) -> os.stat_result:
        found = real(fd)
        with (root / "grows.py").open("ab") as file:
            file.write(b"z" * 20)  # after its size was asked for
        return found

    monkeypatch.setattr(reading.os, "fstat", grown)
    assert refusal(rules, "grows.py") == "size"


def test_no_stamp_of_a_file_that_changed_while_it_was_read(root, monkeypatch):
    path = root / "a.py"
    _, stamp = reading.read_regular(str(path), 1000)
    assert stamp is not None
    real = os.fstat

    def touched(fd: int) -> os.stat_result:
        found = real(fd)
        os.utime(path, ns=(0, found.st_mtime_ns + 1))
        return found

    monkeypatch.setattr(reading.os, "fstat", touched)
    assert reading.read_regular(str(path), 1000) == (b"a = 1\n", None)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs another user")
def test_what_the_user_may_not_read_is_nothing(root):
    (root / "closed.py").write_text("x = 1\n")
    (root / "closed.py").chmod(0)
    (root / "locked").mkdir()
    (root / "locked/x.py").write_text("x = 1\n")
    (root / "locked").chmod(0)
    for folder in (root, *root.parents):
        if folder != Path("/tmp") and folder.is_relative_to("/tmp"):
            folder.chmod(0o755)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from completion.config import ContextConfig\n"
        "from lsp.context.ignore import Rules; from lsp.context import reading\n"
        "from lsp.context.index import walk\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "rules = Rules.of(Path(sys.argv[1]), ContextConfig())\n"
        "for name in ('closed.py', 'locked/x.py'):\n"
        "    try: reading.read(rules, Path(name)); print('read')\n"
        "    except reading.Refused as error: print(error.reason)\n"
        "print(sorted(seen.path for seen in walk.walk(rules) if seen.path))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        env=child_environment(), capture_output=True, text=True,
    )  # fmt: skip
    (root / "locked").chmod(0o755)
    assert done.stdout.splitlines() == ["unreadable", "kind", "['a.py', 'closed.py']"], done.stderr


def test_secrets_are_masked_and_places_stay(root):
    key = "AK" + "IA" + "Q3EGZ5T7WXN2K4LB"
    (root / "keys.py").write_text(f"before = 1\nKEY = '{key}'\nafter = 2\n")
    data = read(Rules.of(root, ContextConfig()), Path("keys.py"))
    assert key.encode() not in data and data.index(b"after") == (
        root / "keys.py"
    ).read_bytes().index(b"after")


def test_caretignore_and_globs_only_take_away(root):
    (root / ".gitignore").write_text("*.log\n")
    (root / ".caretignore").write_text("private/\n!x.log\n!.env\n")
    (root / "private").mkdir()
    (root / "sub/.caretignore").write_text("one.py\n")
    for name in ("x.log", "private/p.py", "sub/one.py", "sub/two.py", "gen_pb.py"):
        (root / name).write_text("x = 1\n")
    rules = Rules.of(root, ContextConfig(excluded_globs=("gen_*", "!x.log")))
    reasons = {
        name: rules.allows(Path(name))
        for name in (
            "x.log",
            "private/p.py",
            "sub/one.py",
            "sub/two.py",
            "gen_pb.py",
            ".env",
            "a.py",
        )
    }
    assert reasons == {
        "x.log": "ignored", "private/p.py": "ignored", "sub/one.py": "ignored", "sub/two.py": "",
        "gen_pb.py": "glob", ".env": "secret", "a.py": "",
    }  # fmt: skip


def test_a_workspace_cannot_undo_the_users_globs():
    loaded = merge(Config(), {"context": {"excluded_globs": []}}, source="x", trusted=False)
    assert "excluded_globs" in loaded.messages[0]


def test_a_changed_ignore_file_counts_without_being_told(root, monkeypatch):
    monkeypatch.setattr("lsp.context.ignore.FRESH_S", 0.0)
    rules = Rules.of(root, ContextConfig())
    assert rules.allows(Path("a.py")) == ""
    (root / ".gitignore").write_text("a.py\n")
    assert rules.allows(Path("a.py")) == "ignored"
    (root / ".gitignore").unlink()
    assert rules.allows(Path("a.py")) == ""


def test_an_ignore_file_outside_or_behind_a_link_is_not_read(root, tmp_path):
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "outside/rules").write_text("*\n")
    (root / "sub/.gitignore").symlink_to("../../outside/rules")
    (root / "sub/b.py").write_text("b = 1\n")
    rules = Rules.of(root, ContextConfig())
    assert rules.allows(Path("a.py")) == "" == rules.allows(Path("sub/b.py"))


def test_names_that_are_no_utf8_are_judged_as_any_other(root):
    name = os.fsdecode(b"caf\xe9.py")
    (root / name).write_text("x = 1\n")
    rules = Rules.of(root, ContextConfig())
    assert read(rules, Path(name)) == b"x = 1\n"
    (root / ".gitignore").write_bytes(b"caf\xe9*\n")
    rules.forget()
    assert refusal(rules, name) == "ignored"
