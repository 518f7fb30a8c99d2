"""Notebook sync: the cells' order and texts against a plain list, whatever an editor does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp.documents import Documents
from lsp.notebooks import changed_cells, language_in_cell
from lsp.positions import Encoding

NOTEBOOK = "file:///w/n.ipynb"
CODE, MARKUP = types.NotebookCellKind.Code, types.NotebookCellKind.Markup


def name(number: int) -> str:
    return f"vscode-notebook-cell:/w/n.ipynb#W{number}sZmlsZQ%3D%3D"


def item(number: int, text: str, language: str = "python") -> types.TextDocumentItem:
    return types.TextDocumentItem(name(number), language, 1, text)


def opened(*texts: str) -> Documents:
    params = types.InitializeParams(types.ClientCapabilities(), root_uri="file:///w")
    documents = Documents(params, Encoding.UTF16)
    documents.put_notebook_document(
        types.DidOpenNotebookDocumentParams(
            types.NotebookDocument(
                NOTEBOOK, "jupyter-notebook", 1,
                [types.NotebookCell(CODE, name(n)) for n in range(len(texts))],
            ),
            [item(n, text) for n, text in enumerate(texts)],
        )
    )  # fmt: skip
    return documents


def change(documents: Documents, **cells) -> types.DidChangeNotebookDocumentParams:
    params = types.DidChangeNotebookDocumentParams(
        types.VersionedNotebookDocumentIdentifier(2, NOTEBOOK),
        types.NotebookDocumentChangeEvent(cells=types.NotebookDocumentCellChanges(**cells)),
    )
    documents.update_notebook_document(params)
    return params


def structure(start: int, delete: int, numbers=(), did_open=(), did_close=()):
    return types.NotebookDocumentCellChangeStructure(
        types.NotebookCellArrayChange(
            start, delete, [types.NotebookCell(CODE, name(n)) for n in numbers]
        ),
        list(did_open),
        [types.TextDocumentIdentifier(name(n)) for n in did_close],
    )


def state(documents: Documents) -> list[tuple[str, str]]:
    notebook = documents.get_notebook_document(notebook_uri=NOTEBOOK)
    assert notebook is not None
    found = []
    for cell in notebook.cells:
        document = documents.opened(cell.document)
        assert document is not None and document.is_cell and document.file_uri == NOTEBOOK
        found.append((cell.document, document.source))
    return found


@given(st.data())
def test_cells_moved_inserted_deleted_split_and_edited_keep_order_and_text(data):
    documents, model, fresh = opened("a", "b", "c"), [(0, "a"), (1, "b"), (2, "c")], 3
    for _ in range(data.draw(st.integers(0, 8))):
        kind = data.draw(st.sampled_from(["insert", "delete", "move", "split", "edit", "language"]))
        at = data.draw(st.integers(0, max(len(model) - 1, 0)))
        if kind == "insert":
            change(documents, structure=structure(at, 0, [fresh], [item(fresh, "new")]))
            model.insert(at, (fresh, "new"))
            fresh += 1
        elif not model:
            continue
        elif kind == "delete":
            number, _ = model.pop(at)
            closes = data.draw(st.booleans())  # some editors name it, some do not
            change(documents, structure=structure(at, 1, did_close=[number] if closes else []))
        elif kind == "move":
            number, text = model.pop(at)
            to = data.draw(st.integers(0, len(model)))
            model.insert(to, (number, text))
            low, high = min(at, to), max(at, to) + 1
            moved = [n for n, _ in model[low:high]]
            again = data.draw(st.booleans())  # as one splice; some close and open it as well
            change(documents, structure=structure(
                low, high - low, moved,
                [item(number, text)] if again else [], [number] if again else [],
            ))  # fmt: skip
        elif kind == "split":
            number, text = model[at]
            half = len(text) // 2
            change(
                documents,
                structure=structure(at + 1, 0, [fresh], [item(fresh, text[half:])]),
                text_content=[content(number, whole(text[:half]))],
            )
            model[at : at + 1] = [(number, text[:half]), (fresh, text[half:])]
            fresh += 1
        elif kind == "edit":
            number, text = model[at]
            here = types.Position(0, len(text))
            one = types.TextDocumentContentChangePartial(types.Range(here, here), "x")
            change(documents, text_content=[content(number, one)])
            model[at] = (number, text + "x")
        else:
            number, text = model[at]
            change(documents, structure=structure(
                at, 1, [number], [item(number, text, "sql")], [number]
            ))  # fmt: skip
        assert state(documents) == [(name(n), text) for n, text in model]
        assert len(documents.text_documents) == len(model), "a closed cell is still there"


def content(number: int, *changes):
    identifier = types.VersionedTextDocumentIdentifier(2, name(number))
    return types.NotebookDocumentCellContentChanges(identifier, list(changes))


def whole(text: str):
    return types.TextDocumentContentChangeWholeDocument(text)


def test_what_names_no_cell_or_no_place_is_passed_over():
    documents = opened("a")
    change(documents, text_content=[content(9, whole("x")), content(0, whole("y"))])
    assert state(documents) == [(name(0), "y")]
    change(documents, structure=structure(99, 99, [5], [item(5, "z")]))
    assert state(documents) == [(name(0), "y"), (name(5), "z")]
    change(documents, data=[types.NotebookCell(MARKUP, name(0)), types.NotebookCell(CODE, name(8))])
    assert [cell.is_code for cell in documents.cells_around(name(5))] == [False, True]
    nobody = types.VersionedNotebookDocumentIdentifier(2, "file:///w/other.ipynb")
    documents.update_notebook_document(
        types.DidChangeNotebookDocumentParams(nobody, types.NotebookDocumentChangeEvent())
    )


def test_closing_a_notebook_closes_all_its_cells():
    documents = opened("a", "b")
    documents.remove_notebook_document(
        types.DidCloseNotebookDocumentParams(types.NotebookDocumentIdentifier(NOTEBOOK), [])
    )
    assert not documents.text_documents and not documents.notebook_documents
    assert documents.cells_around(name(0)) == ()


def test_a_change_says_whose_answers_are_no_longer_wanted():
    documents = opened("a", "b")
    params = change(
        documents,
        structure=structure(0, 1, [7], [item(7, "n")], [0]),
        text_content=[content(1, whole("x"))],
    )
    assert changed_cells(params) == [name(0), name(7), name(1)]


@pytest.mark.parametrize(
    ("language", "first", "found"),
    [
        ("python", "x = 1", "python"),
        ("python", "%%bash\n", "shellscript"),
        ("python", "  %%sql sqlite://", "sql"),
        ("python", "%%time\n", "python"),
        ("python", "%%writefile src/a.js", "javascript"),
        ("python", "%%writefile", "plaintext"),
        ("python", "%%script bash -e", "plaintext"),
        ("python", "%%script bash", "shellscript"),
        ("python", "%%my_own", "plaintext"),
        ("python", "%time f()", "python"),
        ("julia", "%%bash", "julia"),
    ],
)
def test_a_cells_first_line_says_its_language(language, first, found):
    assert language_in_cell(language, first) == found
