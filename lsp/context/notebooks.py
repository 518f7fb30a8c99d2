"""The other cells of a notebook as context for the cell at the cursor: the last cell's too.

Cells below come first, then the cells above in their order, the nearest last: what stands right
above the cursor's cell is what the prompt goes on from. Only cells in the same language are code
here. Of the Markdown the cell right above is kept, as comments: it says what the next cell is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from completion.syntax.languages import language_for
from completion.wire import completion_pb2 as pb
from lsp.context.secrets import masked
from lsp.documents import Document, Documents
from lsp.notebooks import CELL_MAGIC, LINE_MAGIC, Cell
from lsp.positions import wire_bytes

KIND = "sibling_cell"
MAX_CELL_BYTES = 8 << 10
"""Most that is taken of one cell: its end where it is above, its beginning where it is below."""
MAX_CELLS = 24
"""Most cells taken on each side, the nearest."""
MAX_COMMENT_BYTES = 1 << 10
FALLOFF = 0.1
"""How much less a cell counts for each one that lies between it and the cursor's."""
BELOW = 0.5
"""What a cell below counts against one above at the same distance: most of a notebook is read
from above, and names are made there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    number: int
    distance: int
    text: str
    above: bool


def sibling_cells(
    documents: Documents,
    uri: str,
    path: str,
    refused: Callable[[Document], str] = lambda document: "",
) -> tuple[pb.Snippet, ...]:
    """Return the snippets for the cell ``uri``; none where it is no cell of an open notebook.

    ``path`` is the notebook's in the workspace. A cell that ``refused`` has a reason against is
    left out.
    """
    cells, document_of = documents.cells_around(uri), documents.opened
    key = documents.key(uri)
    here = next((n for n, cell in enumerate(cells) if documents.key(cell.uri) == key), -1)
    document = document_of(uri)
    if here < 0 or document is None:
        return ()
    language_id = document.language_in_use
    found: list[_Found] = []
    for above, numbers in (
        (False, range(here + 1, len(cells))),
        (True, range(here - 1, -1, -1)),
    ):
        side: list[_Found] = []
        for number in numbers:
            text = _text(cells[number], document_of, language_id, refused, above=above)
            if text.strip():
                distance = abs(number - here)
                side.append(_Found(number=number, distance=distance, text=text, above=above))
            if len(side) == MAX_CELLS:
                break
        found += reversed(side) if above else side
    if here and (note := _note(cells[here - 1], document_of, language_id, refused)):
        found.append(_Found(number=here - 1, distance=1, text=note, above=True))
    return tuple(_snippet(one, path) for one in found)


def _snippet(found: _Found, path: str) -> pb.Snippet:
    relevance = 1.0 / (1.0 + FALLOFF * (found.distance - 1))
    return pb.Snippet(
        path=f"{path}#cell{found.number + 1}",
        text=masked(wire_bytes(found.text)),
        kind=KIND,
        relevance=relevance if found.above else relevance * BELOW,
    )


def _text(
    cell: Cell,
    document_of: Callable[[str], Document | None],
    language_id: str,
    refused: Callable[[Document], str],
    *,
    above: bool,
) -> str:
    """Return a code cell's text without magics; empty where it is left out."""
    document = document_of(cell.uri)
    if document is None or not cell.is_code or document.language_in_use != language_id:
        return ""
    if document.content.has_nul or refused(document):
        return ""
    lines = list(document.content.lines)
    if language_id == "python":
        lines = [line for line in lines if not LINE_MAGIC.match(line)]
    elif lines and CELL_MAGIC.match(lines[0]):
        del lines[0]
    return _whole_lines(lines, MAX_CELL_BYTES, from_end=above)


def _note(
    cell: Cell,
    document_of: Callable[[str], Document | None],
    language_id: str,
    refused: Callable[[Document], str],
) -> str:
    """Return a Markdown cell as comments of the language."""
    document, language = document_of(cell.uri), language_for(language_id, "")
    if cell.is_code or document is None or language is None or not language.line_comment:
        return ""
    if document.content.has_nul or refused(document):
        return ""
    mark = language.line_comment.decode()
    lines = [f"{mark} {line.strip()}\n" for line in document.content.lines if line.strip()]
    return _whole_lines(lines, MAX_COMMENT_BYTES, from_end=False)


def _whole_lines(lines: Sequence[str], limit: int, *, from_end: bool) -> str:
    """Return as many whole lines as ``limit`` bytes hold, line ends ``\\n``."""
    kept: list[str] = []
    size = 0
    for line in reversed(lines) if from_end else lines:
        if not line:  # behind the last line end
            continue
        text = line.rstrip("\r\n") + "\n"
        size += len(wire_bytes(text))
        if size > limit:
            break
        kept.append(text)
    return "".join(reversed(kept) if from_end else kept)
