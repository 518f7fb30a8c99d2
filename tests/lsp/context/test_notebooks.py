"""The other cells as context: which, in which order, and how much of them."""

from __future__ import annotations

from lsprotocol import types

from lsp.context.notebooks import MAX_CELL_BYTES, MAX_CELLS, sibling_cells
from lsp.documents import Documents
from lsp.positions import Encoding

NOTEBOOK = "file:///w/n.ipynb"


def name(number: int) -> str:
    return f"vscode-notebook-cell:/w/n.ipynb#W{number}%3D"


def opened(*cells: str | tuple[str, str]) -> Documents:
    """A notebook; a cell is its text, or its language and text."""
    params = types.InitializeParams(types.ClientCapabilities(), root_uri="file:///w")
    documents = Documents(params, Encoding.UTF16)
    pairs = [cell if isinstance(cell, tuple) else ("python", cell) for cell in cells]
    kinds = types.NotebookCellKind
    documents.put_notebook_document(
        types.DidOpenNotebookDocumentParams(
            types.NotebookDocument(
                NOTEBOOK, "jupyter-notebook", 1,
                [
                    types.NotebookCell(
                        kinds.Markup if language == "markdown" else kinds.Code, name(n)
                    )
                    for n, (language, _) in enumerate(pairs)
                ],
            ),
            [
                types.TextDocumentItem(name(n), language, 1, text)
                for n, (language, text) in enumerate(pairs)
            ],
        )
    )  # fmt: skip
    return documents


def found(documents: Documents, number: int, **more) -> list[tuple[str, str]]:
    snippets = sibling_cells(documents, name(number), "n.ipynb", **more)
    assert {snippet.kind for snippet in snippets} <= {"sibling_cell"}
    return [(snippet.path.partition("#")[2], snippet.text.decode()) for snippet in snippets]


def test_cells_below_come_first_and_the_nearest_above_last():
    documents = opened("a = 1", "b = 2", "c = 3", "d = 4", "e = 5")
    assert found(documents, 2) == [
        ("cell4", "d = 4\n"), ("cell5", "e = 5\n"), ("cell1", "a = 1\n"), ("cell2", "b = 2\n"),
    ]  # fmt: skip
    snippets = sibling_cells(documents, name(2), "n.ipynb")
    ranked = sorted(snippets, key=lambda snippet: -snippet.relevance)
    assert [s.text for s in ranked] == [b"b = 2\n", b"a = 1\n", b"d = 4\n", b"e = 5\n"]
    assert all(0 < s.relevance <= 1 for s in snippets)


def test_the_first_and_the_last_cell_have_the_others_too():
    documents = opened("a = 1", "b = 2", "")
    assert [text for _, text in found(documents, 2)] == ["a = 1\n", "b = 2\n"]
    assert [text for _, text in found(documents, 0)] == ["b = 2\n"]


def test_a_name_is_found_however_it_is_quoted():
    documents = opened("a = 1", "b")
    quoted = name(1).replace("%3D", "=")
    assert sibling_cells(documents, quoted, "n.ipynb")


def test_cells_of_another_language_are_left_out_unless_it_is_the_cursors():
    documents = opened(
        "a = 1", "%%bash\nls x", ("sql", "select 1"), "%%sh\necho y", "%%time\nb = 2"
    )
    assert [text for _, text in found(documents, 0)] == ["b = 2\n"]
    assert [text for _, text in found(documents, 3)] == ["ls x\n"]
    assert found(documents, 2) == []


def test_markdown_is_left_out_but_right_above_the_cursor_as_comments():
    documents = opened(("markdown", "# Far"), "a = 1", ("markdown", "## Load\n\nthe *data*"), "x")
    assert found(documents, 3) == [("cell2", "a = 1\n"), ("cell3", "# ## Load\n# the *data*\n")]
    assert found(documents, 1)[-1] == ("cell1", "# # Far\n")


def test_magics_are_no_code_and_stay_out():
    documents = opened("%matplotlib inline\n!pip install a 'b\nimport os\nfiles = !ls (\n", "x")
    assert found(documents, 1) == [("cell1", "import os\n")]


def test_empty_refused_and_binary_cells_are_left_out():
    documents = opened("  \n", "key = 1", "b\0", "c = 3\r\nd = 4", "x")
    secret = documents.opened(name(1))
    refused = lambda document: "secret" if document is secret else ""  # noqa: E731
    assert found(documents, 4, refused=refused) == [("cell4", "c = 3\nd = 4\n")]


def test_long_cells_give_the_end_nearest_the_cursor_in_whole_lines():
    text = "".join(f"line_{n} = '😋'\n" for n in range(2000))
    documents = opened(text, "x", text)
    below, above = sibling_cells(documents, name(1), "n.ipynb")
    assert above.text.decode().endswith("line_1999 = '😋'\n") and len(above.text) <= MAX_CELL_BYTES
    assert below.text.decode().startswith("line_0 = '😋'\n") and len(below.text) <= MAX_CELL_BYTES
    assert text.endswith(above.text.decode()) and text.startswith(below.text.decode())


def test_of_many_cells_the_nearest_are_taken():
    documents = opened(*(f"x{n} = {n}" for n in range(200)))
    names = [path for path, _ in found(documents, 100)]
    assert names == [
        *(f"cell{n}" for n in range(102, 102 + MAX_CELLS)),
        *(f"cell{n}" for n in range(101 - MAX_CELLS, 101)),
    ]


def test_no_cell_no_context():
    documents = opened("a = 1")
    documents.put_text_document(types.TextDocumentItem("file:///w/b.py", "python", 1, "x"))
    assert sibling_cells(documents, "file:///w/b.py", "b.py") == ()
    assert sibling_cells(documents, name(9), "n.ipynb") == ()
