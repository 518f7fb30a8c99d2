"""The store: whole, bounded, private, whatever happens to the process or the file."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.wire.environment import child_environment
from lsp.feedback.events import Event, Kind
from lsp.feedback.store import DAY_S, Store, read, remove
from tests.lsp.feedback.made import NOW, event, events


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state" / "feedback.sqlite3"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(events(), max_size=6), max_size=6), st.integers(1, 150), st.integers(0, 12)
)
def test_it_holds_what_was_added_once_and_is_not_too_old(batches, keep_days, most):
    held: dict[str, Event] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "private", "f.sqlite3")
        for batch in batches:
            store = Store(path)  # opened anew each time, as by another editor
            new = store.add(batch)
            before = len(held)
            for one in batch:
                held.setdefault(one.event_id, one)
            assert new == len(held) - before
            store.close()
        assert sorted(e.event_id for e in read(path)) == sorted(held)
        assert {e.event_id: e for e in read(path)} == held
        store = Store(path)
        store.expire(now=NOW, keep_days=keep_days, most=most)
        store.close()
        young = [e for e in held.values() if NOW - keep_days * DAY_S <= e.at <= NOW + DAY_S]
        kept = list(read(path))
        assert len(kept) == min(len(young), most)
        assert [e.at for e in kept] == sorted(e.at for e in young)[len(young) - len(kept) :]


def test_a_batch_is_whole_or_not_there(path):
    store = Store(path)

    def broken():
        yield event("a")
        raise OSError

    with pytest.raises(OSError):
        store.add(broken())
    assert list(read(path)) == []
    assert store.add([event("a")]) == 1
    store.close()


def test_since_leaves_out_what_was_before(path):
    store = Store(path)
    store.add([event("old", at=NOW - 10), event("new", at=NOW)])
    store.close()
    assert [e.completion_id for e in read(path, since=NOW - 5)] == ["new"]
    assert list(read(path.with_name("none"))) == []


def test_a_writer_killed_at_any_moment_leaves_whole_batches(path):
    code = (
        "import sys; from pathlib import Path\n"
        "from lsp.feedback.store import Store\n"
        "from lsp.feedback.events import Event, Kind\n"
        "store = Store(Path(sys.argv[1]))\n"
        "while True:\n"
        "    store.add([Event(completion_id='c', kind=Kind.SHOWN, at=1.8e9) for _ in range(7)])\n"
        "    print('.', end='', flush=True)\n"
    )
    for written in (1, 20, 90):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], env=child_environment(),
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.read(written)
        process.kill()
        process.communicate()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (count,) = db.execute("SELECT count(*) FROM events").fetchone()
    db.close()
    assert count >= 7 * 111
    assert count % 7 == 0


def test_editors_write_beside_each_other(path):
    def write(name: str) -> None:
        store = Store(path)
        for _ in range(20):
            store.add([event(name), event(name)])
        store.close()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(read(path))) == 4 * 40


@pytest.mark.parametrize("damage", ["garbage", "truncated", "version", "table"])
def test_a_file_that_is_damaged_or_of_another_time_is_begun_anew(path, damage):
    store = Store(path)
    store.add([event(str(n)) for n in range(500)])
    store.close()
    match damage:
        case "garbage":
            path.write_bytes(b"no database" * 1000)
        case "truncated":
            path.write_bytes(path.read_bytes()[:1000])
        case "version":
            with sqlite3.connect(path) as db:
                db.execute("PRAGMA user_version = 99")
            db.close()
        case "table":
            with sqlite3.connect(path) as db:
                db.execute("CREATE TABLE other (x)")
            db.close()
    store = Store(path)
    assert store.add([event("new")]) == 1
    store.close()
    assert [e.completion_id for e in read(path)] == ["new"]


def test_only_the_user_can_read_it(path):
    store = Store(path)
    store.add([event()])
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for one in path.parent.iterdir():
        assert not one.stat().st_mode & 0o077, one
    store.close()


def test_cleared_means_gone_from_the_file(path):
    store = Store(path)
    store.add([event(f"marker{n}", Kind.ACCEPTED) for n in range(50)])
    store.clear()
    store.close()
    assert list(read(path)) == []
    left = b"".join(one.read_bytes() for one in path.parent.iterdir())
    assert b"marker" not in left
    remove(path)
    assert not list(path.parent.iterdir())


def test_a_clock_that_begins_in_1970_loses_nothing(path):
    store = Store(path)
    store.add([event(at=NOW)])
    assert store.expire(now=3.0, keep_days=30) == 0
    assert len(list(read(path))) == 1
    store.close()
