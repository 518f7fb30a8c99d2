"""The index: what it finds, what it forgets, and what it survives."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from completion.config import ContextConfig
from lsp.context.index import Index, keys, store
from lsp.context.index.wide import is_too_wide

CONFIG = ContextConfig(index_cpu_share=1.0)
WAIT_S = 60.0

Start = Callable[..., Index]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg/a.py").write_text("class Tree:\n    def grow(self):\n        pass\n")
    (folder / "b.go").write_text("package b\n\nfunc Grow(n int) int {\n\treturn n\n}\n")
    return folder


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Start]:
    """Start an index of `root`, complete when it is returned; its messages are `index.said`."""
    with contextlib.ExitStack() as stack:

        def begin(config: ContextConfig = CONFIG, at: Path = root, passes: int = 1) -> Index:
            said: list[str] = []
            index = Index(at, config, folder=tmp_path / "cache", say=said.append)
            index.said = said  # type: ignore[attr-defined]
            index.start()
            stack.callback(index.close)
            assert index.wait(WAIT_S, passes=passes), index.stats
            return index

        yield begin


def places(index: Index, name: bytes) -> list[tuple[str, bytes]]:
    """What the index says of a name: paths, and the first line of what is there."""
    found = index.definitions(name)
    return [
        (p.path, (p.root / p.path).read_bytes()[p.start : p.end].split(b"\n")[0]) for p in found
    ]


def until(wanted: Callable[[], bool]) -> None:
    """Wait until the index has caught up."""
    deadline = time.monotonic() + WAIT_S
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def the_store(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache").glob(f"*/{store.FILE}")
    return found


def test_definitions_of_several_languages_are_found_with_their_places(start, tmp_path):
    index = start()
    assert places(index, b"Tree") == [("pkg/a.py", b"class Tree:")]
    assert places(index, b"Grow") == [("b.go", b"func Grow(n int) int {")]
    (grow,) = index.definitions(b"grow")
    assert grow.member and grow.language == "python" and not index.definitions(b"Tree")[0].member
    assert index.definitions(b"nothing") == [] == index.definitions(b"")


def test_nothing_of_the_text_is_kept_and_only_the_user_can_read_it(start, tmp_path, root):
    (root / "pkg/c.py").write_text("def a_name_of_its_own():\n    return 'words of its own'\n")
    index = start()
    assert index.definitions(b"a_name_of_its_own")
    index.close()
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
            assert b"of_its_own" not in path.read_bytes()
            assert b"words" not in path.read_bytes()
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) & 0o077 == 0


def test_changes_are_followed_file_by_file(start, root):
    index = start()
    (root / "pkg/a.py").write_text("class Bush:\n    pass\n")
    (root / "new.py").write_text("def fresh():\n    pass\n")
    (root / "b.go").unlink()
    index.changed(["pkg/a.py", "new.py", "b.go"])
    until(lambda: index.definitions(b"fresh") != [])
    until(lambda: index.definitions(b"Grow") == [])
    assert places(index, b"Bush") and not index.definitions(b"Tree")


def test_a_file_that_becomes_ignored_is_forgotten(start, root):
    index = start()
    (root / ".gitignore").write_text("pkg/\n")
    index.changed([".gitignore"])
    until(lambda: index.definitions(b"Tree") == [])
    assert places(index, b"Grow")


def test_after_a_restart_only_what_has_changed_is_read(start, root):
    for n in range(30):
        (root / f"f{n}.py").write_text(f"def name{n}(): pass\n")
        os.utime(root / f"f{n}.py", ns=(0, 10**18 + n))
    start().close()
    (root / "f7.py").write_text("def other(): pass\n")
    (root / "f8.py").unlink()
    # as a checkout does: another time, the same content
    os.utime(root / "f9.py", ns=(0, 2 * 10**18))
    index = start()
    assert index.stats.read <= 3  # the fixture's two may be too new to be trusted
    assert index.definitions(b"other") and index.definitions(b"name9")
    assert not index.definitions(b"name7") and not index.definitions(b"name8")


def test_a_write_within_the_same_time_stamp_and_size_is_seen(start, root):
    index = start()
    path = root / "c.py"
    path.write_text("def one1(): pass\n")
    index.changed(["c.py"])
    until(lambda: index.definitions(b"one1") != [])
    known = path.stat()
    with path.open("r+") as file:
        file.write("def two2(): pass\n")
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))
    index.changed(["c.py"])
    until(lambda: index.definitions(b"two2") != [])
    assert not index.definitions(b"one1")


def test_git_switching_branches_is_noticed_by_itself(start, root):
    def git(*words: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)

    git("init", "-q", "-b", "one")
    for n in range(150):
        (root / f"f{n}.py").write_text(f"def first{n}(): pass\n")
    git("add", ".")
    git("commit", "-qm", "1")
    git("checkout", "-qb", "two")
    for n in range(100):
        (root / f"f{n}.py").write_text(f"def second{n}(): pass\n")
    git("rm", "-q", "f149.py")
    git("commit", "-qam", "2")
    index = start()
    assert index.definitions(b"second7") and not index.definitions(b"first149")
    git("checkout", "-q", "one")
    assert index.wait(WAIT_S, passes=2)
    assert index.definitions(b"first7") and index.definitions(b"first149")
    assert not index.definitions(b"second7")


@pytest.mark.parametrize("damage", ["garbage", "torn", "version", "empty", "folder of the key"])
def test_a_store_that_is_no_good_is_built_anew(start, tmp_path, damage):
    start().close()
    path = the_store(tmp_path)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    if damage == "garbage":
        path.write_bytes(b"no database at all" * 1000)
    elif damage == "torn":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "version":
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version = 999")
    else:
        (tmp_path / "cache" / keys.KEY_FILE).write_bytes(b"short")
    index = start()
    assert places(index, b"Tree") and index.said == []


def test_two_servers_share_a_store_and_the_second_goes_on_when_the_first_ends(start, root):
    first = start()
    second = Index(root, CONFIG, folder=first._folder)
    second.start()
    try:
        until(lambda: second.stats.state == "shared")
        assert places(second, b"Tree") == places(first, b"Tree")
        os.kill(first._process.pid, signal.SIGSTOP)  # it neither ends nor works
        (root / "late.py").write_text("def late(): pass\n")
        os.kill(first._process.pid, signal.SIGCONT)
        first.close()
        assert second.wait(WAIT_S)
        assert second.definitions(b"late")
    finally:
        second.close()


def test_what_was_committed_survives_a_kill_and_the_process_is_started_again(start, root):
    index = start()
    before = index._process.pid
    os.kill(before, signal.SIGKILL)
    assert places(index, b"Tree")  # looked up without it
    (root / "c.py").write_text("def after(): pass\n")
    until(lambda: index.definitions(b"after") != [])
    assert index._process.pid != before and index.said == []


@pytest.mark.parametrize("where", ["cache", "store"])
def test_where_nothing_can_be_written_it_is_kept_in_memory_and_said_once(start, tmp_path, where):
    if where == "cache":
        (tmp_path / "cache").write_text("a file where the folder should be")
    else:
        start().close()
        path = the_store(tmp_path)
        path.with_name(store.LOCK).unlink()
        path.with_name(store.LOCK).mkdir()
    index = start()
    assert places(index, b"Tree") == [("pkg/a.py", b"class Tree:")]
    assert len(index.said) == 1 and "memory" in index.said[0] and "\n" not in index.said[0]


def test_links_loops_pipes_and_strange_names_do_no_harm(start, root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "o.py").write_text("def outside(): pass\n")
    (root / "loop").symlink_to(root)
    (root / "pkg/up").symlink_to("..")
    (root / "self").symlink_to("self")
    (root / "out").symlink_to(outside)
    (root / "o.py").symlink_to(outside / "o.py")
    (root / "dangling.py").symlink_to("nowhere")
    os.mkfifo(root / "pipe.py")
    odd = os.fsencode(root) + b"/caf\xe9\n.py"
    Path(os.fsdecode(odd)).write_text("def odd(): pass\n")
    (root / "long.py").write_bytes(b"x = '" + b"a" * (50 << 20) + b"'\n")
    (root / "made.js").write_bytes(b"function made() { return 1 };" * 3000)
    (root / "nul.py").write_bytes(b"def nul(): pass\n\0")
    (root / "deep.py").write_bytes(b"(" * 100_000)
    index = start()
    (found,) = index.definitions(b"odd")
    assert os.fsencode(found.path) == b"caf\xe9\n.py"
    assert not [n for n in (b"outside", b"nul", b"made") if index.definitions(n)]
    assert places(index, b"Tree") == [("pkg/a.py", b"class Tree:")]
    assert index.said == []


def test_an_empty_folder_and_one_that_is_gone_are_no_error(start, tmp_path):
    (tmp_path / "empty").mkdir()
    assert start(at=tmp_path / "empty").stats.files == 0
    gone = start(at=tmp_path / "gone")
    assert gone.definitions(b"Tree") == [] and "cannot be read" in gone.said[0]


def test_no_more_files_than_allowed_and_it_is_said(start, root):
    for n in range(20):
        (root / f"f{n:02}.py").write_text(f"def name{n}(): pass\n")
    index = start(ContextConfig(index_cpu_share=1.0, index_files=5))
    assert index.stats.files == 5 and "first 5 files" in index.said[0]


def test_the_whole_disk_and_the_home_folder_are_not_indexed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home/me"))
    (tmp_path / "home/me/project").mkdir(parents=True)
    for wide in ("/", "home", "home/me"):
        assert is_too_wide(tmp_path / wide)
        said: list[str] = []
        index = Index(tmp_path / wide, CONFIG, folder=tmp_path / "cache", say=said.append)
        index.start()
        assert not index.wait(5) and index.stats.state == "off" and len(said) == 1
        index.close()
    assert not is_too_wide(tmp_path / "home/me/project")


def test_a_file_that_ends_the_process_is_left_out_in_the_end(start, root, monkeypatch, tmp_path):
    evil = tmp_path / "evil"
    evil.mkdir()
    # what a crash in a grammar looks like from outside
    (evil / "sitecustomize.py").write_text(
        "import os\n"
        "import completion.syntax.definitions as d\n"
        "real = d.definitions\n"
        "def definitions(language, source, *more):\n"
        "    if b'CRASH' in source: os.abort()\n"
        "    return real(language, source, *more)\n"
        "d.definitions = definitions\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(evil))
    (root / "pkg/crash.py").write_text("def CRASH(): pass\n")
    index = start()
    assert not index.definitions(b"CRASH")
    assert places(index, b"Tree") and places(index, b"Grow")


def test_a_process_that_grows_too_large_goes_on_in_a_new_one(root, tmp_path):
    for n in range(60):
        text = "".join(f"def name{n}_{k}(a, b): return a\n" for k in range(200))
        (root / f"f{n}.py").write_text(text)
    config = ContextConfig(index_cpu_share=0.2, index_memory_mb=1)
    index = Index(root, config, folder=tmp_path / "cache")
    index.start()
    processes: set[int] = set()
    try:
        while not index.wait(0.05):
            processes |= {index._process.pid} if index._process else set()
        assert index.stats.files == 62 and len(processes) > 1
    finally:
        index.close()
