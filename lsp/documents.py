"""Open documents: a list of lines that edits are spliced into, under pygls's document interface.

Why not pygls 2.1.1's own: it splits lines with ``str.splitlines``, where LSP knows three line ends
only; it clamps a position past the end of the last line one short, and in place, in the request;
and it writes the whole document anew for every change. Here a change costs what it touches.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace import PositionCodec, TextDocument, Workspace
from pygls.workspace.position_codec import ServerTextPosition

from lsp.positions import Encoding, column_of_units, join_surrogates, units_of_column


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


class LineText:
    """A text as its lines. A place in it is a line and a code-point column, always clamped."""

    __slots__ = ("_text", "lines")

    def __init__(self, text: str) -> None:
        self.lines = split_lines(join_surrogates(text))
        self._text: str | None = None

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

    def replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Put ``text`` in place of what lies between two located positions, in either order."""
        (first, column), (last, end_column) = sorted((start, end))
        lines = self.lines
        segment = lines[first][:column] + text + lines[last][end_column:]
        # "\r" before and "\n" after have become one line end.
        if segment.startswith("\n") and first and lines[first - 1].endswith("\r"):
            first -= 1
            segment = lines[first] + segment
        pieces = split_lines(join_surrogates(segment))
        if last < len(lines) - 1:
            pieces.pop()  # only the document's last line has no end
        lines[first : last + 1] = pieces
        self._text = None

    def before(self, line: int, column: int) -> str:
        """Return the text before (line, column)."""
        return "".join(self.lines[:line]) + self.lines[line][:column]

    def after(self, line: int, column: int) -> str:
        """Return the text from (line, column) on."""
        return self.lines[line][column:] + "".join(self.lines[line + 1 :])


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
    """An open document. ``epoch`` counts its changes, also those that keep the client's version."""

    def __init__(self, uri: str, source: str | None, encoding: Encoding, **known: object) -> None:
        super().__init__(uri, source=None, position_codec=Codec(encoding.value), **known)  # type: ignore[arg-type]
        if source is None:
            source = Path(self.path).read_bytes().decode("utf-8", "replace")
        self.content = LineText(source)
        self.encoding = encoding
        self.epoch = 0

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
        if isinstance(change, types.TextDocumentContentChangePartial):
            start = self.content.locate(change.range.start, self.encoding)
            end = self.content.locate(change.range.end, self.encoding)
            self.content.replace(start, end, change.text)
        else:
            self.content = LineText(change.text)
        self.epoch += 1


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
