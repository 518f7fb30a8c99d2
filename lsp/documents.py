"""Open documents: a list of lines that edits are spliced into, under pygls's document interface.

Why not pygls 2.1.1's own: it splits lines with ``str.splitlines``, where LSP knows three line ends
only; it clamps a position past the end of the last line one short, and in place, in the request;
and it writes the whole document anew for every change. Here a change costs what it touches.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace import PositionCodec, TextDocument, Workspace
from pygls.workspace.position_codec import ServerTextPosition

from lsp.notebooks import CELL_SCHEME, Cell, cells_of, language_in_cell, spliced, with_data
from lsp.positions import (
    Encoding,
    column_of_units,
    join_surrogates,
    units_of_column,
    wire_length,
)

MAX_KEPT = 8 << 20
"""Longest document that is kept, in bytes of UTF-8. No configuration lets more be completed, and
in a line of 50 MB each change would cost a copy of it."""


def split_lines(text: str) -> list[str]:
    r"""Return the lines of ``text`` with their ends (``\n``, ``\r\n`` or ``\r``, nothing else).

    There is always a last line without an end, which may be empty: a position can be in it.
    """
    lines = list(io.StringIO(text, newline=""))
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def body(line: str) -> str:
    """Return ``line`` without its end."""
    return line.rstrip("\r\n") if line.endswith(("\n", "\r")) else line


@dataclass(frozen=True, kw_only=True, slots=True)
class Splice:
    """What a change did to the lines: ``added`` lines are now where ``removed`` were, at ``first``."""

    first: int
    removed: int
    added: int
    deleted: int = -1
    """The line on which text went and none came in its place; -1: that is not what happened."""


class LineText:
    """A text as its lines. A place in it is a line and a code-point column, always clamped."""

    __slots__ = ("_nuls", "_text", "lines", "size")

    def __init__(self, text: str) -> None:
        self._set(join_surrogates(text))

    def _set(self, text: str) -> None:
        self.lines = split_lines(text)
        self.size = wire_length(text)
        """Bytes of the whole text in UTF-8."""
        self._nuls = text.count("\0")
        self._text: str | None = text

    @property
    def has_nul(self) -> bool:
        """Whether a NUL is in the text."""
        return self._nuls > 0

    @property
    def text(self) -> str:
        """The whole text; joined on the first call after an edit."""
        if self._text is None:
            self._text = "".join(self.lines)
        return self._text

    def locate(self, position: types.Position, encoding: Encoding) -> tuple[int, int]:
        """Return the (line, column) of a client's position; past the last line is the end."""
        if position.line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        text = body(self.lines[position.line])
        return position.line, column_of_units(text, position.character, encoding)

    def position(self, line: int, column: int, encoding: Encoding) -> types.Position:
        """Return the client's position of (line, column)."""
        return types.Position(line, units_of_column(self.lines[line], column, encoding))

    def replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> Splice:
        """Put ``text`` in place of what lies between two located positions, in either order."""
        (first, column), (last, end_column) = sorted((start, end))
        lines = self.lines
        deleted = self._deleted(first, column, last, end_column, text)
        segment = lines[first][:column] + text + lines[last][end_column:]
        # "\r" before and "\n" after have become one line end.
        if segment.startswith("\n") and first and lines[first - 1].endswith("\r"):
            first -= 1
            segment = lines[first] + segment
        segment = join_surrogates(segment)
        if first == last and "\n" not in text and "\r" not in text:
            pieces = [segment]  # its line end is the one it had
        else:
            pieces = split_lines(segment)
            if last < len(lines) - 1:
                pieces.pop()  # only the document's last line has no end
        for line in lines[first : last + 1]:
            self.size -= wire_length(line)
            self._nuls -= line.count("\0")
        self.size += wire_length(segment)
        self._nuls += segment.count("\0")
        lines[first : last + 1] = pieces
        self._text = None
        return Splice(first=first, removed=last + 1 - first, added=len(pieces), deleted=deleted)

    def rewrite(self, text: str) -> Splice:
        """Put ``text`` in place of everything; what is told of it is what has become different."""
        old, before = self.lines, self.text
        self._set(join_surrogates(text))
        new = self.lines
        most = min(len(old), len(new)) - 1
        first = next((n for n in range(most) if old[n] != new[n]), most)
        rest = most - first
        same = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
        while same and old[-1 - same][-1:] != new[-1 - same][-1:]:
            same -= 1  # the end of the line above has changed, and so has the line's start
        at = shortened_at(before, self.text)
        return Splice(
            first=first,
            removed=len(old) - first - same,
            added=len(new) - first - same,
            deleted=-1 if at < 0 else len(split_lines(before[:at])) - 1,
        )

    def _deleted(self, first: int, column: int, last: int, end_column: int, text: str) -> int:
        """Return what :class:`Splice` says of deletions.

        Some editors send a whole line, or several, with less in it.
        """
        if not text:
            return first if (first, column) < (last, end_column) else -1
        if first == last and end_column - column <= len(text):
            return -1
        lines = self.lines[first:last]
        old = "".join([*lines, self.lines[last][:end_column]])[column:]
        at = shortened_at(old, text)
        return -1 if at < 0 else first + len(split_lines(old[:at])) - 1

    def before(self, line: int, column: int) -> str:
        """Return the text before (line, column)."""
        return "".join(self.lines[:line]) + self.lines[line][:column]

    def after(self, line: int, column: int) -> str:
        """Return the text from (line, column) on."""
        return self.lines[line][column:] + "".join(self.lines[line + 1 :])


def is_too_large(text: str) -> bool:
    """Tell whether a document of this text is not kept."""
    return len(text) > MAX_KEPT or wire_length(text) > MAX_KEPT


def shortened_at(old: str, new: str) -> int:
    """Return where one piece was taken out of ``old`` to make ``new``; -1: it was not made so."""
    if len(new) >= len(old):
        return -1
    low, high = 0, len(new)
    while low < high:  # the longest common start; slices are compared at the speed of memory
        middle = (low + high + 1) // 2
        if old.startswith(new[:middle]):
            low = middle
        else:
            high = middle - 1
    return low if old.endswith(new[low:]) else -1


class Codec(PositionCodec):
    """pygls's converter with our clamping; it changes no request."""

    def position_from_client_units(
        self, lines: Sequence[str], position: types.Position
    ) -> ServerTextPosition:
        """Return the position in code points."""
        if position.line >= len(lines):
            return ServerTextPosition(max(len(lines) - 1, 0), len(lines[-1]) if lines else 0)
        text = body(lines[position.line])
        column = column_of_units(text, position.character, Encoding(self.encoding))
        return ServerTextPosition(position.line, column)


class Document(TextDocument):
    """An open document. ``epoch`` counts its changes, also those that keep the client's version.

    What follows its lines (a lexer's states, a tree) is told of each splice: :attr:`followers`.
    """

    def __init__(self, uri: str, source: str | None, encoding: Encoding, **known: object) -> None:
        super().__init__(uri, source=None, position_codec=Codec(encoding.value), **known)  # type: ignore[arg-type]
        if source is None:
            source = Path(self.path).read_bytes().decode("utf-8", "replace")
        self.encoding = encoding
        self.epoch = 0
        self.too_large = is_too_large(source)
        """It is longer than :data:`MAX_KEPT`: nothing of it is kept until it comes whole again."""
        self.file_uri = uri
        """Of the file it is in: of a cell, its notebook's."""
        self.is_cell = False
        self.followers: list[Follower] = []
        self._splices: list[Splice] = []
        self._deleted_lines: frozenset[int] = frozenset()
        self.content = LineText("" if self.too_large else source)

    @property
    def language_in_use(self) -> str:
        """LSP id of what it is written in: a cell's first line may say another than the editor."""
        named = self.language_id or ""
        return language_in_cell(named, self.content.lines[0]) if self.is_cell else named

    @property
    def source(self) -> str:
        """The whole text."""
        return self.content.text

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends; the last has none, and may be empty."""
        return self.content.lines

    def apply_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Apply one change, of a range or of everything."""
        self.epoch += 1
        if not isinstance(change, types.TextDocumentContentChangePartial):
            self._rewrite(change.text)
        elif not self.too_large:
            start = self.content.locate(change.range.start, self.encoding)
            end = self.content.locate(change.range.end, self.encoding)
            self._spliced(self.content.replace(start, end, change.text))
            if self.content.size > MAX_KEPT:
                self._rewrite(self.content.text)

    def end_of_changes(self) -> None:
        """Take notice that a notification's changes are all in: together they are one edit."""
        lines = [splice.deleted for splice in self._splices]
        self._deleted_lines = frozenset(lines) if -1 not in lines else frozenset()
        self._splices = []

    def deleted_at(self, line: int) -> bool:
        """Tell whether the last edit only took text away, and on ``line``."""
        return line in self._deleted_lines

    def _rewrite(self, text: str) -> None:
        self.too_large = is_too_large(text)
        self._spliced(self.content.rewrite("" if self.too_large else text))

    def _spliced(self, splice: Splice) -> None:
        self._splices.append(splice)
        for follower in self.followers:
            follower.spliced(splice)


class Follower(Protocol):
    """What keeps something of a document that depends on its lines."""

    def spliced(self, splice: Splice) -> None:
        """Take notice of a change, right after it was made. Must be quick: an editor waits."""
        ...


class Documents(Workspace):
    """pygls's workspace, making :class:`Document`; its hook for that is a private method."""

    def __init__(self, params: types.InitializeParams, encoding: Encoding) -> None:
        root = params.root_uri or (from_fs_path(params.root_path) if params.root_path else None)
        super().__init__(root, workspace_folders=params.workspace_folders or [],
                         position_encoding=encoding.value)  # fmt: skip
        self.encoding = encoding

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> Document:
        return Document(
            doc_uri, source, self.encoding, version=version, language_id=language_id,
        )  # fmt: skip

    def put_text_document(
        self, text_document: types.TextDocumentItem, notebook_uri: str | None = None
    ) -> None:
        """Open a document, or a cell of a notebook."""
        super().put_text_document(text_document, notebook_uri)
        opened = self.opened(text_document.uri)
        if opened is not None:
            opened.file_uri = notebook_uri or text_document.uri
            opened.is_cell = notebook_uri is not None or text_document.uri.startswith(CELL_SCHEME)

    def update_notebook_document(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Apply a notebook's changes; what they name and nobody has opened is passed over.

        pygls closes cells after it has opened others, which loses a cell that is moved or whose
        language changes: it comes as closed and opened at once.
        """
        uri = params.notebook_document.uri
        notebook = self.get_notebook_document(notebook_uri=uri)
        if notebook is None:
            return
        notebook.version = params.notebook_document.version
        if params.change.metadata:
            notebook.metadata = params.change.metadata
        change = params.change.cells
        if change is None:
            return
        notebook.cells = with_data(notebook.cells, change.data or ())
        if change.structure is not None:
            before = [cell.document for cell in notebook.cells]
            notebook.cells = spliced(notebook.cells, change.structure.array)
            kept = {self.key(cell.document) for cell in notebook.cells}
            gone = [cell_uri for cell_uri in before if self.key(cell_uri) not in kept]
            for cell_uri in (*gone, *(cell.uri for cell in change.structure.did_close or ())):
                self.remove_text_document(cell_uri)
            for cell in change.structure.did_open or ():
                self.put_text_document(cell, notebook_uri=uri)
        for text in change.text_content or ():
            if self.opened(text.document.uri) is not None:
                for one in text.changes:
                    self.update_text_document(text.document, one)

    def remove_notebook_document(self, params: types.DidCloseNotebookDocumentParams) -> None:
        """Close a notebook with all its cells, named or not."""
        notebook = self.get_notebook_document(notebook_uri=params.notebook_document.uri)
        super().remove_notebook_document(params)
        for cell in notebook.cells if notebook is not None else ():
            self.remove_text_document(cell.document)

    def cells_around(self, uri: str) -> tuple[Cell, ...]:
        """Return the cells of the notebook that the cell ``uri`` is in; none: it is no cell."""
        notebook = self.get_notebook_document(cell_uri=uri)
        return cells_of(notebook) if notebook is not None else ()

    @staticmethod
    def key(uri: str) -> str:
        """Return what ``uri`` is kept under, here and in pygls: one name, however it is quoted."""
        return unquote(uri)

    def opened(self, uri: str) -> Document | None:
        """Return the document that the client has open as ``uri``, spelled as it likes to."""
        found = self.text_documents.get(self.key(uri))
        return found if isinstance(found, Document) else None

    def roots(self) -> list[str]:
        """Return the folders of the workspace as file system paths."""
        uris = [f.uri for f in self.folders.values()] or [self.root_uri or ""]
        return [path for uri in uris if (path := to_fs_path(uri))]
