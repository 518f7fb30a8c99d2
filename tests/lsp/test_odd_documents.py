"""Documents that are odd: huge, nowhere, unnamed, with positions that do not exist."""

from __future__ import annotations

import time

import pytest

INVOKED = 1


def edit(line: int, character: int, text: str) -> dict:
    place = {"line": line, "character": character}
    return {"range": {"start": place, "end": place}, "text": text}


async def test_a_line_of_fifty_megabytes_is_declined_and_typing_in_it_is_quick(
    editor, service, tmp_path
):
    async with editor() as session:
        other = session.open(tmp_path / "b.py", "x = ")
        uri = session.open(tmp_path / "a.js", "x" * (50 << 20), "javascript")
        for trigger in (2, INVOKED):
            assert (await session.complete(uri, 0, 1 << 20, triggerKind=trigger)).items == ()
        assert service.requests == []
        worst = 0.0
        for version in range(50):
            started = time.perf_counter()
            session.change(uri, 2 + version, edit(0, (25 << 20) + version, "y"))
            assert (await session.complete(uri, 0, 5)).items == ()
            worst = max(worst, time.perf_counter() - started)
        assert worst < 0.5, "a change copied the line"
        assert (await session.complete(other, 0, 4)).items
        session.change(uri, 99, {"text": "let x = "})
        assert (await session.complete(uri, 0, 8)).items, "it is small again"


async def test_positions_that_do_not_exist_are_clamped(editor, service, tmp_path):
    far = 2**31 - 1
    async with editor(encodings=["utf-16"]) as session:
        uri = session.open(tmp_path / "a.py", "x = '😋'\r\ny = 2")
        for line, character, before in (
            (0, far, "x = '😋'"),
            (0, 6, "x = '"),
            (far, 0, "x = '😋'\r\ny = 2"),
            (far, far, "x = '😋'\r\ny = 2"),
        ):
            shown = await session.complete(uri, line, character)
            assert service.requests[-1].document.prefix == before.encode()
            assert shown.items
        session.change(uri, 2, edit(far, far, "0"))
        session.change(uri, 3, {"range": {"start": {"line": far, "character": far},
                                          "end": {"line": 0, "character": 0}}, "text": "z = "})  # fmt: skip
        await session.complete(uri, 0, 4)
        assert service.requests[-1].document.prefix == b"z = "


NOWHERE = [
    ("untitled:Untitled-1", "Untitled-1"),
    ("vscode-notebook-cell:/nowhere/n.ipynb#W0sZmlsZQ%3D%3D", "n.ipynb"),
    ("vscode-notebook-cell:Untitled-1.ipynb?jupyter-notebook#W0", "Untitled-1.ipynb"),
    ("file:///nowhere/at/all.py", "all.py"),
    ("inmemory://model/1", "1"),
]


@pytest.mark.parametrize("with_folder", [True, False])
async def test_a_document_that_is_in_no_folder_is_served(editor, service, with_folder):
    async with editor(rootless=not with_folder) as session:
        for uri, path in NOWHERE:
            session.notify("textDocument/didOpen", {"textDocument": {
                "uri": uri, "languageId": "python", "version": 1, "text": "x = "}})  # fmt: skip
            assert (await session.complete(uri, 0, 4)).items, uri
            assert service.requests[-1].document.path == path
            session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
            assert (await session.complete(uri, 0, 4)).items == ()
        assert b" ERROR " not in session.stderr
