"""jedi's process for lists: what it tells, what it may open, and what happens when it hangs or dies."""

from __future__ import annotations

import asyncio
import sys

import pytest
from lsprotocol import types

from completion.config import PopupConfig
from completion.syntax.languages import language_for
from lsp.documents import Document
from lsp.inline import take
from lsp.popup import analysis as analysis_module
from lsp.popup.analysis import Analysis, Question
from lsp.popup.names import Name, word_at
from lsp.popup.place import Place
from lsp.popup.popup import Popup
from lsp.positions import Encoding
from tests.lsp.context.workspace import write

SILENT = (sys.executable, "-c", "import sys; sys.stdin.read()")
TEXT = """from shop.store import Store
import os

top = 1

class App:
    size = 2
    def run(self, given):
        local = given
        """


@pytest.fixture
async def root(tmp_path):
    files = {"shop/__init__.py": "", "shop/store.py": "class Store:\n    def put(self): ...\n"}
    return write(tmp_path / "w", {**files, "shop/app.py": ""})


def at_end(text: str) -> Question:
    line, column = text.count("\n"), len(text) - text.rfind("\n") - 1
    return Question(path="shop/app.py", text=text, line=line, column=column)


async def test_names_come_with_kind_scope_and_origin(root):
    one = Analysis(root)
    try:
        found = {name.text: name for name in await one.names("top", at_end(TEXT)) or ()}
        members = await one.names("self", at_end(TEXT + "self."))
        others = await one.names("store", at_end(TEXT + "Store()."))
    finally:
        await one.close()
    assert found["local"] == Name(text="local", kind="statement", scope="function")
    assert found["given"] == Name(text="given", kind="param", scope="function")
    assert (found["top"].scope, found["App"].scope, found["App"].kind) == ("file", "file", "class")
    assert found["len"].module == "builtins" and not found["len"].scope and not found["len"].path
    scopes = {name.text: (name.kind, name.scope) for name in members or ()}
    assert scopes["size"] == ("statement", "class")
    assert scopes["run"] == ("function", "class")
    (put,) = [name for name in others or () if name.text == "put"]
    assert (put.module, put.path, put.scope) == ("shop.store", "shop/store.py", "")


async def test_the_same_place_is_asked_once_and_forgotten_with_the_files(root):
    one = Analysis(root)
    try:
        first = await one.names("here", at_end(TEXT))
        # another text under the same key would have other names: it is not asked about
        assert await one.names("here", at_end("x = 1\n")) == first
        one.forget()
        assert one.known("here") is None
        assert await one.names("here", at_end("x = 1\n")) != first
    finally:
        await one.close()


async def test_a_waiting_question_gives_way_to_a_newer_one_and_a_late_answer_is_kept(root):
    one = Analysis(root)
    try:
        running = asyncio.create_task(one.names("a", at_end(TEXT)))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(one.names("b", at_end(TEXT)))
        await asyncio.sleep(0)
        newest = asyncio.create_task(one.names("c", at_end(TEXT)))
        running.cancel()
        assert await waiting is None
        assert await newest
        assert one.known("a")
    finally:
        await one.close()


@pytest.mark.parametrize("command", [SILENT, (sys.executable, "-c", "print('no answer')")])
async def test_a_process_that_hangs_or_talks_nonsense_is_ended_and_then_left_alone(
    root, monkeypatch, command
):
    monkeypatch.setattr(analysis_module, "HANG_S", 0.05)
    one = Analysis(root, command)
    try:
        for number in range(analysis_module.HANGS):
            assert one.usable
            assert await one.names(number, at_end(TEXT)) is None
        assert not one.usable
        assert await one.names("more", at_end(TEXT)) is None
    finally:
        await one.close()


async def test_jedi_that_is_late_is_stood_in_for_by_the_names_in_scope(root):
    popup = Popup(PopupConfig(), command=SILENT)
    text = "def f(counter):\n    return cou"
    document = Document("file:///w/a.py", text, Encoding.UTF8, language_id="python")
    snapshot = take(document, types.Position(1, 14))
    word = word_at(snapshot.head, snapshot.tail)
    assert word is not None
    place = Place.of(snapshot, word, language_for("python", ""))

    async def no_model() -> None:
        return None

    try:
        until = asyncio.get_running_loop().time() + 10
        found = await popup.find(place, str(root), [str(root)], no_model, until)
    finally:
        await popup.close()
    assert [name.text for name in found.names] == ["counter"]
    assert found.ask_again
