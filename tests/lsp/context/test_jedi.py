"""jedi says what a name means, reads nothing outside of the workspace, and may hang or die."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lsp.context import jedi_process
from lsp.context.jedi_process import Jedi
from lsp.context.uses import uses_near
from tests.lsp.context.workspace import spot, write

FILES = {
    "shop/__init__.py": "",
    "shop/store.py": "class Store:\n    def put(self, key): ...\n\nclass Cart:\n"
    "    def put(self, what): ...\n",
    "shop/app.py": "",
}
TEXT = """from shop.store import Cart

class App:
    def __init__(self):
        self.cart = Cart()

    def run(self):
        cart = self.cart
        cart.put(¦
"""
WAIT_S = 60.0


@pytest.fixture
def jedi(tmp_path):
    one = Jedi(write(tmp_path / "w", FILES))
    yield one
    one.close()


def asked(jedi: Jedi, text: str, path: str = "shop/app.py") -> dict[str, list[tuple[str, int]]]:
    place = spot(path, text)
    answers = jedi.begin(place, uses_near(place)).result(WAIT_S)
    return {
        name.decode(): [(target.path, target.line) for target in targets]
        for name, targets in answers.items()
    }


def test_attributes_and_variables_are_known_for_what_they_are(jedi):
    found = asked(jedi, TEXT)
    assert found["put"] == [("shop/store.py", 5)]  # Cart's, and not Store's of the same name
    assert found["cart"] == [("shop/store.py", 4)]
    # what is defined outside of the workspace is known to be nothing here
    assert asked(jedi, "text = 'a'\ntext.partition(¦")["partition"] == []
    # a question may come with any text: half a character, no code at all
    assert asked(jedi, "def f(:\n  \x0c)) = €.¦") is not None


def test_what_was_said_can_be_forgotten_for_a_document_that_is_another_now(jedi):
    place = spot("shop/app.py", TEXT)
    uses = uses_near(place)
    assert jedi.begin(place, uses).result(WAIT_S)
    assert jedi.recall(place, uses)
    jedi.forget()
    assert not jedi.recall(place, uses)
    late = jedi.begin(place, uses)
    jedi.forget()  # what is being answered does not count any more either
    assert late.result(WAIT_S) == {}
    assert asked(jedi, TEXT)["put"] == [("shop/store.py", 5)]
    assert jedi.hangs == 0


def test_nothing_outside_of_the_workspace_is_read(tmp_path):
    """Checked by the process itself: what it is not allowed to open, nobody can read there."""
    root = write(tmp_path / "w", FILES)
    write(tmp_path, {"outside/secret.py": "class Secret:\n    def tell(self): ...\n"})
    (root / "linked").symlink_to(tmp_path / "outside")
    jedi = Jedi(root)
    text = "from linked.secret import Secret\nimport pytest\nSecret().tell(pytest.fail, ¦"
    found = asked(jedi, text)
    jedi.close()
    assert not any(found.get(name) for name in ("Secret", "tell", "fail"))


def test_the_confined_process_can_open_nothing_else_and_write_nothing(tmp_path):
    root = write(tmp_path / "w", {"in.txt": "in"})
    write(tmp_path, {"out.txt": "out", "w-neighbour/x": "x"})
    (root / "link.txt").symlink_to(tmp_path / "out.txt")
    code = """
import os, sys
from lsp.context.jedi_worker import confine
root, out = sys.argv[1:]
confine(root, cache=root + "/cache", own=())
print(open(root + "/in.txt").read())
def tried(work):
    try:
        work()
    except PermissionError:
        return "refused"
    return "done"
for work in (
    lambda: open(out + "/out.txt"), lambda: open(root + "/link.txt"),
    lambda: os.open(out + "/w-neighbour/x", os.O_RDONLY), lambda: os.listdir(out),
    lambda: open(root + "/../out.txt"), lambda: open(root + "/new", "w"),
    lambda: os.remove(root + "/in.txt"),
):
    print(tried(work))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(root), str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=True,
        cwd=Path(jedi_process.__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.split() == ["in", *["refused"] * 7]


def test_no_source_of_the_workspace_is_kept_on_disk(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    marker = "marker_of_the_workspace"
    files = {**FILES, "shop/store.py": f"class Cart:\n    def {marker}(self): ...\n"}
    jedi = Jedi(write(tmp_path / "w", files))
    assert asked(jedi, TEXT.replace("put", marker))[marker] == [("shop/store.py", 2)]
    jedi.close()
    kept = [path.read_bytes() for path in cache.rglob("*") if path.is_file()]
    assert not any(marker.encode() in data for data in kept)


def test_half_a_file_in_the_cache_of_the_parser_is_written_again(tmp_path, monkeypatch):
    """As a process leaves it that is killed while it writes."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    root = write(tmp_path / "w", FILES)
    text = "text = 'a'\ntext.partition(¦"

    def answers() -> dict[str, list[tuple[str, int]]]:
        jedi = Jedi(root)
        try:
            return asked(jedi, text)
        finally:
            jedi.close()

    wanted = answers()
    assert wanted["partition"] == []
    kept = [path for path in cache.rglob("*.pkl") if path.stat().st_size]
    sizes = {path: path.stat().st_size for path in kept}
    assert kept
    for number, path in enumerate(kept):
        path.write_bytes(path.read_bytes()[: number % 2 * sizes[path] // 2])
    assert answers() == wanted
    assert any(path.stat().st_size == sizes[path] for path in kept)


HANGS = [sys.executable, "-c", "import sys\nfor line in sys.stdin: pass"]
DIES = [sys.executable, "-c", "import sys; sys.stdin.readline()"]
BABBLES = [sys.executable, "-c",
           "import sys\nfor line in sys.stdin: print('{}\\nno\\n[1]\\n', flush=True)"]  # fmt: skip


@pytest.mark.parametrize("command", [HANGS, DIES, BABBLES], ids=["hangs", "dies", "babbles"])
def test_a_process_that_fails_costs_the_time_and_is_left_alone_in_the_end(
    tmp_path, monkeypatch, command
):
    monkeypatch.setattr(jedi_process, "HANG_S", 0.05)
    jedi = Jedi(tmp_path, command)
    place = spot("a.py", "thing.other(¦")
    for _ in range(200):
        if jedi.hangs >= jedi_process.HANGS:
            break
        assert jedi.begin(place, uses_near(place)).result(0.1) == {}
    assert jedi.hangs >= jedi_process.HANGS
    assert jedi.begin(place, uses_near(place)).result(WAIT_S) == {}  # at once: nobody is asked
    jedi.close()
