"""Which of what was found is sent, and as what: snippets within a budget of bytes. Pure.

Everything of one file is one snippet, as the model was trained; the most relevant file stands last
and so nearest to the cursor. The server fits them into its model's tokens by their relevance, each
whole or not at all: so none may be long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from completion.syntax.definitions import Piece, shown_bytes
from completion.wire import completion_pb2 as pb
from completion.wire.names import as_utf8
from lsp.context.found import Found, Spot
from lsp.context.fuse import Ranked

WEIGHTS = {
    "definitions": 1.0,
    "imports": 0.9,
    "recent_edits": 0.8,
    "open_files": 0.7,
    "viewed": 0.5,
}
"""What a rank of each source is worth. Definitions lead: it is what the model was trained on."""

PER_FILE = 900
"""Most bytes of one file: some 280 tokens of the 360 that the bundled model has for other files."""
CELLS_SHARE = 0.5
"""Of the budget, at most, for other cells of a notebook."""
IN_SIGHT = 1500
"""Bytes around the cursor that the smallest prompt shows of its own file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What went into a snippet, for those who ask what was sent: names and places, no text."""

    path: str
    kind: str
    relevance: float
    size: int
    """Bytes."""
    sources: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """What was found and is not sent."""

    path: str
    reason: str
    """"budget", "duplicate", "in sight", or a reason of the rules: "ignored", "secret", …"""
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """Snippets in the order in which they are sent, a note for each, and what was left out."""

    snippets: tuple[pb.Snippet, ...] = ()
    notes: tuple[Note, ...] = ()
    left: tuple[Left, ...] = ()


def choose(
    ranked: Sequence[Ranked], spot: Spot, max_bytes: int, cells: Sequence[pb.Snippet] = ()
) -> Chosen:
    """Return the snippets of the best of ``ranked`` that fit, and of ``cells``, which come last."""
    kept_cells, left = fitting_cells(cells, max_bytes)
    room = max_bytes - sum(len(cell.text) for cell in kept_cells)
    files: dict[str, list[Ranked]] = {}
    unsent: dict[tuple[str, str], list[Found]] = {}
    seen: set[bytes] = set()
    for one in ranked:
        found, path = one.found, one.found.text.path
        if reason := _not_wanted(found, spot, seen):
            unsent.setdefault((path, reason), []).append(found)
            continue
        have = files.get(path, [])
        before = _size(have)
        after = _size([*have, one])
        if after == before:
            have.append(one)  # all of it is there: it says only once more why
            continue
        if after - before > room or (after > PER_FILE and have):
            unsent.setdefault((path, "budget"), []).append(found)
            continue
        files.setdefault(path, []).append(one)
        seen.add(_core_text(found))
        room -= after - before
    for (path, reason), found in unsent.items():
        left.append(Left(path=as_utf8(path), reason=reason, why="; ".join(reasons(found))))
    order = list(reversed(files.items()))  # entered by their best, so the best file is last now
    top = max((one.score for found in files.values() for one in found), default=1.0)
    made = [_snippet(path, found, top) for path, found in order]
    return Chosen(
        snippets=(*(snippet for snippet, _ in made), *kept_cells),
        notes=(*(note for _, note in made), *(_cell_note(cell) for cell in kept_cells)),
        left=tuple(left),
    )


def reasons(found: Iterable[Found]) -> tuple[str, ...]:
    """Return why things were found, those alike in one: ``defines open, close``."""
    by_reason: dict[str, list[str]] = {}
    for one in found:
        names = by_reason.setdefault(one.why, [])
        if one.name and one.name not in names:
            names.append(one.name)
    return tuple(f"{why} {', '.join(names)}".strip() for why, names in by_reason.items())


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Return pieces of one source in order, with no line twice.

    A window may begin or end inside another one, which pieces of definitions never do.
    """
    out: list[Piece] = []
    behind = -1
    for piece in sorted(set(pieces), key=lambda p: (p.start, -p.end)):
        if piece.end <= behind:
            continue
        if piece.start <= behind:
            piece = piece._replace(start=behind + 1)
        if piece.start < piece.end:
            out.append(piece)
            behind = piece.end
    return out


def _not_wanted(found: Found, spot: Spot, seen: set[bytes]) -> str:
    text = _core_text(found)
    if not text:
        return "empty"
    if text in seen:
        return "duplicate"
    if found.text.path == spot.path:
        start, end = found.core
        if start < spot.offset + IN_SIGHT and spot.offset - IN_SIGHT < end:
            return "in sight"
    return ""


def _core_text(found: Found) -> bytes:
    start, end = found.core
    return found.text.data[start:end].strip()


def _size(found: Sequence[Ranked]) -> int:
    return len(_text(found)) if found else 0


def _text(found: Sequence[Ranked]) -> bytes:
    pieces = joined(piece for one in found for piece in one.found.pieces)
    return shown_bytes(found[0].found.text.data, pieces)


def _snippet(path: str, found: Sequence[Ranked], top: float) -> tuple[pb.Snippet, Note]:
    best = found[0]
    path = as_utf8(path)
    relevance = min(1.0, round(best.score / top, 4))
    snippet = pb.Snippet(path=path, text=_text(found), kind=best.found.kind, relevance=relevance)
    note = Note(
        path=path,
        kind=snippet.kind,
        relevance=relevance,
        size=len(snippet.text),
        sources=tuple(dict.fromkeys(source for one in found for source in one.sources)),
        why=reasons(one.found for one in found),
    )
    return snippet, note


def fitting_cells(
    cells: Sequence[pb.Snippet], max_bytes: int
) -> tuple[list[pb.Snippet], list[Left]]:
    """Return the most relevant cells that fit into their share, in their own order, and the rest."""
    limit = int(max_bytes * CELLS_SHARE)
    left: list[Left] = []
    kept: set[int] = set()
    for number in sorted(range(len(cells)), key=lambda n: (-cells[n].relevance, -n)):
        size = len(cells[number].text)
        if size <= limit:
            kept.add(number)
            limit -= size
        else:
            left.append(Left(path=cells[number].path, reason="budget", why="cell of the notebook"))
    return [cells[number] for number in sorted(kept)], left


def _cell_note(cell: pb.Snippet) -> Note:
    return Note(
        path=cell.path, kind=cell.kind, relevance=cell.relevance, size=len(cell.text),
        sources=("sibling_cells",), why=("cell of the notebook",),
    )  # fmt: skip
