"""Files that a workspace may have and nobody wants: odd names, one endless line, a pipe, a loop."""

from __future__ import annotations

import asyncio
import json
import os

import pytest

from lsp.context.jedi_process import HANG_S
from lsp.context.told import described
from tests.lsp.context.workspace import gather, spot, write
from tests.lsp.test_context import gathered, lsp, started, told

ODD = os.fsdecode(b"st\xffore")
STORE = "class Store:\n    def deposit(self, key):\n        return key\n"
APP = "from fine import fine\n\n\ndef main(store):\n    store.deposit(fine(1))\n"
FINE = "def fine(a):\n    return a\n"


@pytest.fixture
def home(tmp_path):
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path / "none")}


def odd_workspace(root):
    write(root, {f"{ODD}.py": STORE, "fine.py": FINE, "app.py": APP})
    write(root, {"long.py": "text = '" + "word " * 150_000 + "'\n"})
    (root / "again").symlink_to(".")
    os.mkfifo(root / "pipe.py")
    return root


def contexts(session):
    return [n["params"] for n in session.notifications if n["method"] == "caret/context"]


async def test_a_file_whose_name_is_no_utf8_goes_along_and_stops_nothing(service, home, tmp_path):
    root = odd_workspace(tmp_path / "w")
    async with lsp(service, home) as session, asyncio.timeout(HANG_S):  # sooner than jedi is ended
        await started(session, root)
        uri, request = await gathered(session, service, root / "app.py", "def deposit(self, key)")
        while failed := contexts(session)[-1]["failed"]:  # jedi takes a while to begin
            heard = len(session.notifications)
            await session.complete(uri, 4, 18)
            await told(session, heard)
    assert not failed, "jedi does not wait for somebody to write into the pipe"
    assert "st\ufffdore.py" in {one.path for one in request.snippets}
    assert b"not gathered" not in session.stderr


def test_what_is_left_out_of_such_a_name_can_be_said(tmp_path):
    from lsp.context.definitions import Target

    root = write(tmp_path, {f"{ODD}.py": STORE, f"{ODD}_2.py": STORE})
    targets = [Target(f"{ODD}.py", at=6, member=True), Target(f"{ODD}_2.py", at=6, member=True)]
    found = gather(root, spot("app.py", "store.deposit(¦\n"), lookup=lambda *_: targets)
    assert [one.path for one in found.snippets] == ["st\ufffdore.py"]
    assert [(one.path, one.reason) for one in found.left] == [("st\ufffdore_2.py", "duplicate")]
    json.dumps(described("file:///app.py", found), ensure_ascii=False).encode()
