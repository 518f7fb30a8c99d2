"""Definitions, edits, views and open files as snippets; and what may never become one."""

from __future__ import annotations

import threading
import time

import pytest

from completion.config import ContextConfig
from lsp.context import collect
from lsp.context.definitions import Target
from lsp.context.found import Clock, Files, Found, Spot
from lsp.context.ignore import Rules
from lsp.context.recent import Hunk
from lsp.context.texts import Disk, Texts
from lsp.context.workspace import Seen
from tests.lsp.context.workspace import gather, opened, spot, write

STORE = '''class Store:
    """Keeps things."""

    size: int

    def __init__(self, path: str, *, limit: int = 3) -> None:
        self.size = 0

    def deposit(self, key: str, value: bytes) -> None:
        raise NotImplementedError
'''


def found_by_name(**places: list[Target]):
    return lambda name, limit, near: places.get(name.decode(), [])[:limit]


def texts_of(gathered) -> dict[str, str]:
    return {one.path: one.text.decode() for one in gathered.snippets}


def test_a_definition_found_by_its_name_is_shown_as_in_training(tmp_path):
    write(tmp_path, {"store.py": STORE})
    lookup = found_by_name(deposit=[Target("store.py", at=STORE.index("deposit"), member=True)])
    gathered = gather(tmp_path, spot("app.py", "thing.deposit(¦"), lookup=lookup)
    assert texts_of(gathered) == {
        "store.py": "class Store:\n    def deposit(self, key: str, value: bytes) -> None:\n"
    }
    (note,) = gathered.notes
    assert (note.kind, note.sources, note.why) == (
        "definition",
        ("definitions",),
        ("may define deposit",),
    )


def test_a_name_that_stands_alone_and_is_not_imported_is_not_guessed(tmp_path):
    write(tmp_path, {"store.py": STORE})
    lookup = found_by_name(Store=[Target("store.py", at=6)])
    assert not gather(tmp_path, spot("app.py", "Store(¦"), lookup=lookup).snippets
    c = {"a.c": "x = count(¦", "b.c": "int count(char *name) { return 0; }\n"}
    write(tmp_path, c)
    lookup = found_by_name(count=[Target("b.c", at=4)])
    assert "b.c" in texts_of(gather(tmp_path, spot("a.c", c["a.c"]), lookup=lookup))


@pytest.mark.parametrize(
    "text",
    [
        "int main(int count) {\n    return count + ¦",
        "int main(void) {\n    int count = 1;\n    if (count ¦",
    ],
)
def test_a_parameter_or_a_variable_is_nothing_of_another_file(tmp_path, text):
    write(tmp_path, {"b.c": "int count(char *name) { return 0; }\n"})
    lookup = found_by_name(count=[Target("b.c", at=4)])
    assert not gather(tmp_path, spot("a.c", text), lookup=lookup).snippets


def test_an_index_that_is_behind_the_file_still_finds_the_definition(tmp_path):
    write(tmp_path, {"store.py": "# grown\n" * 90 + STORE})
    lookup = found_by_name(deposit=[Target("store.py", at=STORE.index("deposit"), member=True)])
    gathered = gather(tmp_path, spot("app.py", "thing.deposit(¦"), lookup=lookup)
    assert "def deposit(self, key" in texts_of(gathered)["store.py"]


def test_what_is_open_counts_as_it_is_in_the_editor(tmp_path):
    write(tmp_path, {"store.py": STORE})
    changed = opened("store.py", STORE.replace("value: bytes", "value: str"))
    gathered = gather(
        tmp_path, spot("app.py", "from store import Store\nStore(1).deposit(¦"),
        documents={"store.py": changed},
        lookup=found_by_name(deposit=[Target("store.py", at=STORE.index("deposit"), member=True)]),
    )  # fmt: skip
    assert "value: str" in texts_of(gathered)["store.py"]


OTHER = "".join(f"def helper_{n}():\n    return alpha_{n}\n\n" for n in range(30)) + (
    "def total_price(order, discount):\n    price = order.amount * order.count\n"
    "    return price - discount\n"
)
LIKE = "def total_price_again(order, discount):\n    price = order.amount¦\n"


def test_the_open_files_lines_most_like_the_cursors_are_shown(tmp_path):
    gathered = gather(
        tmp_path, spot("app.py", LIKE),
        documents={"other.py": opened("other.py", OTHER)}, seen=Seen(opened=("app.py", "other.py")),
    )  # fmt: skip
    (snippet,) = gathered.snippets
    assert snippet.kind == "open_file"
    assert b"def total_price(order" in snippet.text
    assert b"helper_3(" not in snippet.text


def test_edits_and_views_of_closed_files_are_read_from_disk(tmp_path):
    write(tmp_path, {"other.py": OTHER, "more.py": OTHER})
    last = OTHER.count("\n") - 3
    seen = Seen(hunks=(Hunk("other.py", last, last + 2),), views=(("more.py", last // 64),))
    kinds = {s.path: s.kind for s in gather(tmp_path, spot("app.py", LIKE), seen=seen).snippets}
    assert kinds["other.py"] == "recent_edit"
    # what both show is the same text: it is sent once
    assert "more.py" not in kinds or len(kinds) == 2


def test_switches_switch_sources_off(tmp_path):
    write(tmp_path, {"store.py": STORE})
    at = spot("app.py", "from store import Store\nStore(¦")
    assert gather(tmp_path, at).snippets
    off = ContextConfig(imports=False, definitions=False, static_analysis=False)
    assert not gather(tmp_path, at, config=off).snippets
    assert not gather(
        tmp_path, at, config=ContextConfig(max_bytes=0, static_analysis=False)
    ).snippets


KEY = "AKIA" + "Z2J4X6PQ7RLMN3TV"
BAD = {
    "ignored.py": "def Wanted(a): ...\n",
    "own_ignored.py": "def Wanted(b): ...\n",
    ".env": "Wanted=1\n",
    "binary.py": b"def Wanted(c): ...\n\0\0",
    ".gitignore": "ignored.py\n",
    ".caretignore": "own_ignored.py\n",
}


@pytest.mark.parametrize("name", ["ignored", "own_ignored", ".env", "binary", "link"])
def test_no_source_shows_what_the_rules_refuse(tmp_path, name):
    root = write(tmp_path / "w", BAD)
    write(tmp_path, {"outside.py": "def Wanted(d): ...\n"})
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    path = name if name == ".env" else f"{name}.py"
    lookup = found_by_name(Wanted=[Target(path, at=4)])
    seen = Seen(opened=("app.py", path), hunks=(Hunk(path, 0, 1),), views=((path, 0),))
    at = spot("app.py", f"from {name} import Wanted\nthing.Wanted(Wanted, ¦")
    gathered = gather(root, at, lookup=lookup, seen=seen)
    assert not gathered.snippets
    if name != "binary":  # also as the editor has it
        documents = {path: opened(path, "def Wanted(e): ...\n")}
        assert not gather(root, at, lookup=lookup, seen=seen, documents=documents).snippets
    assert path in {one.path for one in gathered.left}


def test_a_secret_in_a_file_is_not_in_its_snippet(tmp_path):
    write(tmp_path, {"conf.py": f'def connect(key="{KEY}"):\n    ...\n'})
    gathered = gather(tmp_path, spot("app.py", "from conf import connect\nconnect(¦"))
    (snippet,) = gathered.snippets
    assert b"def connect(key=" in snippet.text
    assert KEY.encode() not in snippet.text


def test_line_ends_bytes_and_sentinels_come_as_text(tmp_path):
    write(tmp_path, {
        "crlf.py": "def One(a):\r\n    '''Text.\r\n\r\n    More.'''\r\n",
        "latin.py": b"def Two(b='\xe9\xff'): ...\n",
        "sentinel.py": "def Three(c='<|fim_middle|>'): ...\n",
    })  # fmt: skip
    text = "from crlf import One\nfrom latin import Two\nfrom sentinel import Three\nuse(One, Two, Three, ¦"
    found = texts_of(gather(tmp_path, spot("app.py", text)))
    assert "\r" not in found["crlf.py"]
    assert found["crlf.py"].startswith("def One(a):\n")
    assert "\ufffd" in found["latin.py"]
    assert "<|fim_middle|>" in found["sentinel.py"]  # made ordinary text where prompts are built


class Raising:
    name = "raising"

    def find(self, spot: Spot, files: Files, clock: Clock) -> list[Found]:
        raise RecursionError("as jedi does")


class Hanging:
    name = "hanging"

    def __init__(self) -> None:
        self.begun, self.release = 0, threading.Event()

    def find(self, spot: Spot, files: Files, clock: Clock) -> list[Found]:
        self.begun += 1
        self.release.wait(20)
        return []


def test_a_source_that_fails_loses_nothing_of_the_others(tmp_path):
    write(tmp_path, {"store.py": STORE})
    at = spot("app.py", "from store import Store\nStore(¦")
    gathered = gather(tmp_path, at, extra=Raising())
    assert [s.path for s in gathered.snippets] == ["store.py"]
    assert gathered.failed == {"raising": "RecursionError"}


def test_a_source_that_hangs_is_left_behind_and_not_asked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "GRACE_MS", 10.0)
    hanging, collector = Hanging(), collect.Collector()
    texts = Texts(None, {})
    for expected in ("late", "busy"):
        gathered = collector.collect(spot("a.py", "¦"), [(hanging, 10.0)], texts, max_bytes=99)
        assert gathered.failed == {"hanging": expected}
    assert hanging.begun == 1
    hanging.release.set()


def test_a_file_that_vanishes_between_index_and_reading_is_nothing(tmp_path):
    write(tmp_path, {"store.py": STORE})
    disk = Disk(Rules.of(tmp_path, ContextConfig()))
    assert Texts(disk, {}).read("store.py") is not None
    (tmp_path / "store.py").unlink()
    texts = Texts(disk, {})
    assert texts.read("store.py") is None  # also what was kept in memory
    lookup = found_by_name(deposit=[Target("store.py", at=9, member=True)])
    assert not gather(tmp_path, spot("app.py", "thing.deposit(¦"), lookup=lookup).snippets


def test_a_closed_file_is_read_again_when_it_has_changed(tmp_path):
    write(tmp_path, {"a.py": "one\n"})
    disk = Disk(Rules.of(tmp_path, ContextConfig()))
    first = Texts(disk, {}).read("a.py")
    assert first is Texts(disk, {}).read("a.py")
    write(tmp_path, {"a.py": "another\n"})
    again = Texts(disk, {}).read("a.py")
    assert again is not None
    assert again.data == b"another\n"


@pytest.mark.parametrize(
    "path", ["", "/etc/hostname", "../a.py", "a/../../a.py", "a\0b", "x" * 5000, "a\\b"]
)
def test_a_path_that_no_file_has_is_nothing(tmp_path, path):
    disk = Disk(Rules.of(tmp_path, ContextConfig()))
    assert Texts(disk, {}).read(path) is None
    assert Texts(None, {}).read(path) is None


def test_without_a_workspace_only_open_documents_are_used(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path, {"store.py": STORE}))
    at = spot("app.py", "from store import Store\nStore(¦")
    assert not gather(None, at).snippets
    documents = {"store.py": opened("store.py", STORE), ".env": opened(".env", STORE)}
    gathered = gather(None, at, documents=documents, seen=Seen(opened=("store.py", ".env")))
    assert set(texts_of(gathered)) == {"store.py"}


def test_time_is_up_for_a_source_that_looks_at_the_clock():
    clock = Clock.of(0.0)
    assert clock.over
    stopped = threading.Event()
    clock = Clock.of(60_000, stopped)
    assert not clock.over
    stopped.set()
    assert clock.over
    assert clock.left == 0.0
    assert Clock(until=time.monotonic() - 1).over
