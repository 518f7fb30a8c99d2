"""Notebook documents: their cells in order, and what an editor's changes make of them.

Cells are ordinary documents. A notebook is the order of their names: splices of it come with the
cells that open and close, and what an editor forgets to close is closed with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lsprotocol import types

SYNC = types.NotebookDocumentSyncOptions(
    notebook_selector=[types.NotebookDocumentFilterWithNotebook(notebook="*")], save=True
)
"""What is asked for: every cell of every notebook."""

CELL_SCHEME = "vscode-notebook-cell:"
"""What names a cell for some editors, also where the notebook itself is not sent."""

_CELL_MAGIC = re.compile(r"\s*%%(\w+)[ \t]*([^\r\n]*)")
_SAME = frozenset(
    ("time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "heat", "python", "python3")
)
"""Cell magics whose cell is Python all the same."""
_OTHER = {
    "bash": "shellscript", "sh": "shellscript", "cmd": "bat", "sql": "sql", "bigquery": "sql",
    "html": "html", "HTML": "html", "javascript": "javascript", "js": "javascript",
    "ruby": "ruby", "perl": "perl", "latex": "latex", "svg": "xml", "SVG": "xml",
    "markdown": "markdown", "R": "r", "cython": "python",
}  # fmt: skip
"""Cell magics that give their cell to another language, by its LSP id."""
_BY_ENDING = {
    ".py": "python", ".sh": "shellscript", ".js": "javascript", ".ts": "typescript", ".sql": "sql",
    ".c": "c", ".cpp": "cpp", ".cu": "cuda-cpp", ".html": "html", ".css": "css", ".json": "json",
    ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".md": "markdown",
}  # fmt: skip
_PLAIN = "plaintext"

LINE_MAGIC = re.compile(r"[ \t]*+(?:[%!?]|[\w., \t]++=[ \t]*+[!%])")
"""A line of a Python cell that is IPython's and no Python: ``%time``, ``!ls``, ``x = !ls``."""
CELL_MAGIC = re.compile(r"[ \t]*+%%")
"""The first line of a cell in another language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell of a notebook, by the name of its document."""

    uri: str
    is_code: bool


def cells_of(notebook: types.NotebookDocument) -> tuple[Cell, ...]:
    """Return a notebook's cells in their order."""
    code = types.NotebookCellKind.Code
    return tuple(Cell(uri=c.document, is_code=c.kind == code) for c in notebook.cells)


def spliced(
    cells: Sequence[types.NotebookCell], change: types.NotebookCellArrayChange
) -> list[types.NotebookCell]:
    """Return ``cells`` with a change of their order; places that do not exist are clamped."""
    start = min(max(change.start, 0), len(cells))
    end = min(start + max(change.delete_count, 0), len(cells))
    return [*cells[:start], *(change.cells or ()), *cells[end:]]


def with_data(
    cells: Iterable[types.NotebookCell], changed: Iterable[types.NotebookCell]
) -> list[types.NotebookCell]:
    """Return ``cells`` with those of ``changed`` in place of their like; others are ignored."""
    by_uri = {cell.document: cell for cell in changed}
    return [by_uri.get(cell.document, cell) for cell in cells]


def changed_cells(params: types.DidChangeNotebookDocumentParams) -> list[str]:
    """Return the names of the cells whose text a change opens, alters or closes."""
    change = params.change.cells
    if change is None:
        return []
    structure = change.structure
    opened = [cell.uri for cell in structure.did_open or ()] if structure else []
    closed = [cell.uri for cell in structure.did_close or ()] if structure else []
    return [*closed, *opened, *(text.document.uri for text in change.text_content or ())]


def text_changes(
    params: types.DidChangeNotebookDocumentParams,
) -> dict[str, Sequence[types.TextDocumentContentChangeEvent]]:
    """Return the changes of cells' texts by their names; of a cell that is also opened, none."""
    change = params.change.cells
    if change is None:
        return {}
    structure = change.structure
    opened = {cell.uri for cell in structure.did_open or ()} if structure else set[str]()
    return {
        text.document.uri: text.changes
        for text in change.text_content or ()
        if text.document.uri not in opened
    }


def language_in_cell(language_id: str, first_line: str) -> str:
    """Return the LSP id of what a cell is written in: a Python cell may begin with ``%%bash``.

    A magic that nobody has described makes plain text of its cell.
    """
    if language_id != "python":
        return language_id
    found = _CELL_MAGIC.match(first_line)
    if found is None:
        return language_id
    magic, rest = found.groups()
    if magic in _SAME:
        return language_id
    if magic in ("writefile", "file", "script"):
        name = rest.split()[-1] if rest.split() else ""
        if magic == "script":
            return _OTHER.get(PurePosixPath(name).name, _PLAIN)
        return _BY_ENDING.get(PurePosixPath(name).suffix.lower(), _PLAIN)
    return _OTHER.get(magic, _PLAIN)
