"""Where in a document something stands, as the keystroke path sees it; and where an edit leaves it.

Reads the text near a cursor only, whatever the length of the document.
"""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from lsp.documents import Document, LineText, split_lines
from lsp.keystrokes.place import AFTER, BEFORE, CLOSERS, MOST_CLOSERS, Place, Selected
from lsp.positions import units_of_column, wire_bytes, wire_length

_KEY = 2
"""Visible characters that one key brings at most: a bracket comes with its closer."""


def place_at(
    document: Document, key: str, line: int, column: int, selected: Selected | None = None
) -> Place:
    """Return the place at a line and a code-point column of ``document``, which is named ``key``."""
    content = document.content
    before, is_start = _before(content, line, column)
    after, is_end = _after(content, line, column)
    return Place(
        document=key, before=before, after=after, is_start=is_start, is_end=is_end,
        column=wire_length(content.lines[line][:column]), selected=selected,
    )  # fmt: skip


def cursors_after(
    document: Document, key: str, changes: Sequence[types.TextDocumentContentChangeEvent]
) -> list[Place] | None:
    """Return where the cursor may be behind ``changes``, which are made; ``None``: anywhere.

    That is behind what was inserted last, or before the closers that an editor has put there.
    """
    last = changes[-1] if changes else None
    if not isinstance(last, types.TextDocumentContentChangePartial):
        return None
    lines = split_lines(last.text)
    end = lines[-1]
    start = last.range.start
    units = units_of_column(end, len(end), document.encoding)
    where = types.Position(
        start.line + len(lines) - 1, units + (start.character if len(lines) == 1 else 0)
    )
    line, column = document.content.locate(where, document.encoding)
    closers = len(end) - len(end.rstrip(CLOSERS.decode()))
    away = min(closers, MOST_CLOSERS, column)
    return [place_at(document, key, line, column - back) for back in range(away + 1)]


def is_key(changes: Sequence[types.TextDocumentContentChangeEvent]) -> bool:
    """Whether ``changes`` are what one key makes that brings text."""
    return len(changes) == 1 and len(changes[0].text) > 0 and len(changes[0].text.strip()) <= _KEY


def _before(content: LineText, line: int, column: int) -> tuple[bytes, bool]:
    pieces = [wire_bytes(content.lines[line][:column][-BEFORE:])]
    size, number = len(pieces[0]), line
    while size <= BEFORE and number > 0:
        number -= 1
        pieces.append(wire_bytes(content.lines[number][-BEFORE - 1 :]))
        size += len(pieces[-1])
    cut = size > BEFORE or column > BEFORE
    return b"".join(reversed(pieces))[-BEFORE:], not cut


def _after(content: LineText, line: int, column: int) -> tuple[bytes, bool]:
    pieces = [wire_bytes(content.lines[line][column : column + AFTER + 1])]
    size, number = len(pieces[0]), line
    while size <= AFTER and number + 1 < len(content.lines):
        number += 1
        pieces.append(wire_bytes(content.lines[number][: AFTER + 1]))
        size += len(pieces[-1])
    return b"".join(pieces)[:AFTER], size <= AFTER
