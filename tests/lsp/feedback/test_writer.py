"""The writer: never waited for, one warning, and the store's troubles stay its own."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from lsp.feedback import store as store_module
from lsp.feedback import writer as writer_module
from lsp.feedback.events import Event
from lsp.feedback.store import Store, read
from lsp.feedback.writer import MOST_WAITING, Writer
from tests.lsp.feedback.made import NOW, event


class Told:
    """Warnings and batches, as a writer tells them."""

    def __init__(self) -> None:
        self.warned: list[str] = []
        self.made: list[Event] = []

    def writer(self, path: Path) -> Writer:
        return Writer(
            path, keep_days=90, warn=self.warned.append, made=self.made.extend, clock=lambda: NOW
        )


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "state" / "feedback.sqlite3"


def test_what_is_put_is_kept_and_told(told, path):
    writer = told.writer(path)
    for n in range(10):
        writer.put(lambda n=n: event(f"c{n}"))
    writer.put(lambda: None)
    writer.close()
    assert sorted(e.completion_id for e in read(path)) == [f"c{n}" for n in range(10)]
    assert len(told.made) == 10
    assert told.warned == [] and writer.dropped == 0


def test_no_event_no_file_and_no_thread(told, path):
    before = threading.active_count()
    writer = told.writer(path)
    assert threading.active_count() == before
    writer.close()
    assert not path.parent.exists()


def test_old_events_go_when_it_begins(told, path):
    store = Store(path)
    store.add([event("old", at=NOW - 91 * 86_400), event("young", at=NOW - 89 * 86_400)])
    store.close()
    writer = told.writer(path)
    writer.put(lambda: event("new"))
    writer.close()
    assert [e.completion_id for e in read(path)] == ["young", "new"]


def test_more_than_it_can_take_is_dropped_and_never_waited_for(told, path):
    gate = threading.Event()
    begun = threading.Event()

    def slow() -> Event:
        begun.set()
        gate.wait(60)
        return event("slow")

    writer = told.writer(path)
    writer.put(slow)
    begun.wait(60)
    for n in range(MOST_WAITING + 5):
        writer.put(lambda n=n: event(f"c{n}"))
    assert writer.dropped == 5
    gate.set()
    writer.close(60)
    assert len(list(read(path))) == MOST_WAITING + 1


def test_a_full_disk_is_said_once(told, path, monkeypatch):
    monkeypatch.setattr(writer_module, "RETRY_S", 0.0)
    opened = store_module._opened

    def small(where: Path) -> sqlite3.Connection:
        db = opened(where)
        db.execute("PRAGMA max_page_count = 5")
        return db

    monkeypatch.setattr(store_module, "_opened", small)
    writer = told.writer(path)
    for _ in range(300):
        writer.put(lambda: event("x" * 64))
    writer.close(60)
    assert len(told.warned) == 1 and "full" in told.warned[0] and "\n" not in told.warned[0]
    assert writer.dropped > 0
    assert len(told.made) == 300, "what is shared does not depend on the store"


def test_a_store_that_another_holds_is_said_once_and_used_again_when_it_is_free(
    told, path, monkeypatch
):
    monkeypatch.setattr(store_module, "BUSY_S", 0.01)
    monkeypatch.setattr(writer_module, "RETRY_S", 0.0)
    Store(path).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    writer = told.writer(path)
    failed = threading.Event()
    told.warned = []
    writer._warn = lambda text: (told.warned.append(text), failed.set())[0]
    writer.put(lambda: event("lost"))
    assert failed.wait(60)
    assert "locked" in told.warned[0]
    holder.execute("ROLLBACK")
    holder.close()
    writer.put(lambda: event("kept"))
    writer.close(60)
    assert [e.completion_id for e in read(path)] == ["kept"]
    assert len(told.warned) == 1


def test_a_folder_that_cannot_be_had_is_said_once(told, tmp_path):
    (tmp_path / "state").touch()
    writer = told.writer(tmp_path / "state" / "feedback.sqlite3")
    for _ in range(3):
        writer.put(event)
    writer.close(60)
    assert len(told.warned) == 1 and str(tmp_path / "state") in told.warned[0]
    assert writer.dropped == 3


def test_a_file_damaged_under_its_hands_is_begun_anew(told, path):
    writer = told.writer(path)
    done = threading.Event()
    writer._made = lambda events: done.set()
    writer.put(lambda: event("before"))
    assert done.wait(60)
    writer.close(60)
    path.write_bytes(b"no database any more" * 500)
    again = told.writer(path)
    again.put(lambda: event("after"))
    again.close(60)
    assert [e.completion_id for e in read(path)] == ["after"]
    assert told.warned == []


def test_an_error_while_an_event_is_made_costs_that_event_alone(told, path, caplog):
    def broken() -> Event:
        raise ValueError("text of the user")

    writer = told.writer(path)
    writer.put(broken)
    writer.put(lambda: event("fine"))
    writer.close(60)
    assert [e.completion_id for e in read(path)] == ["fine"]
    assert "text of the user" not in caplog.text
