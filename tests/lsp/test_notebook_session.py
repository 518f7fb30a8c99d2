"""Notebooks through a real `caret lsp`: what a cell's request holds, and what keeps it quiet."""

from __future__ import annotations

from lsp.session import cell, item

CELLS = [
    ("markdown", "# Prices"),
    ("python", "%matplotlib inline\nimport csv\n"),
    ("python", "def load_prices(path):\n    return list(csv.reader(open(path)))\n"),
    ("python", "rows = "),
]


def sent(service) -> list[str]:
    """The snippets of the last request, by cell."""
    return [s.text.decode() for s in service.requests[-1].snippets if s.kind == "sibling_cell"]


async def test_notebooks_are_asked_for(editor):
    async with editor() as session:
        sync = session.capabilities["capabilities"]["notebookDocumentSync"]
        assert sync["notebookSelector"] == [{"notebook": "*"}] and sync["save"] is True


async def test_a_cell_inserted_moved_edited_and_deleted_is_sent_where_it_stands(
    editor, service, tmp_path
):
    path = tmp_path / "n.ipynb"
    async with editor(always_ask=True) as session:
        uris = session.open_notebook(path, CELLS)
        new = session.cell_uri(path, 9)
        session.change_notebook(path, 2, structure={
            "array": {"start": 4, "deleteCount": 0, "cells": [cell(new, "python")]},
            "didOpen": [item(new, "python", "total = 1\n")],
        })  # fmt: skip
        await session.complete(uris[3], 0, 7)
        assert sent(service) == ["total = 1\n", "import csv\n", CELLS[2][1]]
        session.change_notebook(path, 3, structure={
            "array": {"start": 3, "deleteCount": 2,
                      "cells": [cell(new, "python"), cell(uris[3], "python")]},
        })  # fmt: skip
        end = {"line": 0, "character": 9}
        session.change_notebook(path, 4, textContent=[{
            "document": {"uri": new, "version": 2},
            "changes": [{"range": {"start": end, "end": end}, "text": "  # 😋"}],
        }])  # fmt: skip
        await session.complete(uris[3], 0, 7)
        assert sent(service) == ["import csv\n", CELLS[2][1], "total = 1  # 😋\n"]
        session.change_notebook(path, 5, structure={
            "array": {"start": 2, "deleteCount": 1}, "didClose": [{"uri": uris[2]}],
        })  # fmt: skip
        await session.complete(uris[3], 0, 7)
        assert sent(service) == ["import csv\n", "total = 1  # 😋\n"]
        assert (await session.complete(uris[2], 0, 0)).items == (), "a cell that is gone"


async def test_a_cell_is_asked_about_as_what_it_is(editor, service, tmp_path):
    path = tmp_path / "sub" / "n.ipynb"
    async with editor() as session:
        uris = session.open_notebook(path, [*CELLS, ("python", "%%bash\necho 'a "), ("sql", "-- ")])
        await session.complete(uris[3], 0, 7)
        document = service.requests[-1].document
        assert (document.path, document.language_id, document.scope) == (
            "sub/n.ipynb", "python", "code",
        )  # fmt: skip
        assert [s.path for s in service.requests[-1].snippets] == [
            "sub/n.ipynb#cell2", "sub/n.ipynb#cell3",
        ]  # fmt: skip
        await session.complete(uris[4], 1, 8)
        document = service.requests[-1].document
        assert (document.language_id, document.scope) == ("shellscript", "string")
        assert sent(service) == []
        await session.complete(uris[5], 0, 3)
        assert service.requests[-1].document.scope == "comment"


async def test_an_edit_of_a_cell_ends_its_answer_under_way(editor, service, tmp_path):
    service.gate.clear()
    path = tmp_path / "n.ipynb"
    async with editor() as session:
        uris = session.open_notebook(path, CELLS)
        _, answer = session.send(
            "textDocument/inlineCompletion",
            {"textDocument": {"uri": uris[3]}, "position": {"line": 0, "character": 7},
             "context": {"triggerKind": 2}},
        )  # fmt: skip
        await service.until(lambda s: s.running == 1)
        session.change_notebook(path, 2, textContent=[{
            "document": {"uri": uris[3], "version": 2}, "changes": [{"text": "rows = l"}],
        }])  # fmt: skip
        assert (await answer)["result"] == {"items": []}
        await service.until(lambda s: s.cancelled == 1)


async def test_rules_and_gates_hold_for_the_notebooks_own_file(editor, service, tmp_path):
    (tmp_path / ".gitignore").write_text("scratch/\n")
    settings = {"disabled_globs": ["quiet.ipynb"]}
    async with editor(options=settings) as session:
        for name, invoked, is_shown in (
            ("scratch/n.ipynb", 2, False),
            ("scratch/m.ipynb", 1, False),
            ("quiet.ipynb", 2, False),
            ("n.ipynb", 2, True),
        ):
            uris = session.open_notebook(tmp_path / name, CELLS)
            shown = await session.complete(uris[3], 0, 7, triggerKind=invoked)
            assert bool(shown.items) is is_shown, name
        assert (await session.complete(uris[3], 0, 7)).items
        session.close_notebook(tmp_path / "n.ipynb", uris)
        assert (await session.complete(uris[3], 0, 7)).items == ()


async def test_a_backspace_in_a_cell_is_a_backspace(editor, service, tmp_path):
    path = tmp_path / "n.ipynb"
    async with editor() as session:
        uris = session.open_notebook(path, CELLS)
        start, end = {"line": 0, "character": 6}, {"line": 0, "character": 7}
        session.change_notebook(path, 2, textContent=[{
            "document": {"uri": uris[3], "version": 2},
            "changes": [{"range": {"start": start, "end": end}, "text": ""}],
        }])  # fmt: skip
        assert (await session.complete(uris[3], 0, 6)).items == ()
        assert (await session.complete(uris[3], 0, 6, triggerKind=1)).items
