"""Links beside a corpus's shards, read through the page cache.

``links-000.npy`` holds the links of the documents of the first training shard, and ``links.json``
says of each file which shard it belongs to. Places are characters; documents are counted through
the whole training part. Lives here: the format and reading it, which needs numpy alone. The files
are written by ``linking``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from completion.errors import UsageError
from training.corpus.shards import read_manifest
from training.objectives.places import Span

FORMAT = 1
"""Of the files, and of the rules by which names are resolved and definitions shown."""
ACCOUNT = "links.json"
TAILS = ("", '"""', "'''", '"', "'")
"""What can close a definition that is shown in part, by number."""
Numbers = npt.NDArray[np.int32]


class Piece(NamedTuple):
    """A stretch of a document that shows a definition, and what closes it."""

    start: int
    end: int
    tail: str


class Shown(NamedTuple):
    """A definition that a name refers to."""

    document: int
    """In the training part."""
    whole: Span
    """All of the definition."""
    pieces: tuple[Piece, ...]


class Links:
    """The links of a corpus. Processes that fork share them."""

    def __init__(self, folder: Path) -> None:
        """Open the links beside the corpus in ``folder``.

        Raises:
            UsageError: there are none, or they were made of other documents.
        """
        account = account_of(folder)
        shards = read_manifest(folder)["parts"]["train"]
        again = f"make them with caret corpus --links {folder}"
        if not account.get("whole"):
            raise UsageError(f"corpus {folder}: it has no links of definitions; {again}")
        if [entry["shard"] for entry in account["files"]] != shards:
            raise UsageError(f"corpus {folder}: its links are of other documents; {again}")
        self._firsts: list[int] = []
        self._files: list[_File] = []
        self.documents = 0
        """In the training part."""
        for entry in account["files"]:
            self._firsts.append(self.documents)
            self._files.append(_File.open(folder / entry["file"], entry))
            self.documents += entry["documents"]

    def within(self, document: int, span: Span) -> Iterator[tuple[Span, Shown]]:
        """Yield the names of a document that ``span`` touches and what they refer to, in order."""
        at = int(np.searchsorted(self._firsts, document, side="right")) - 1
        file = self._files[at]
        local = document - self._firsts[at]
        uses = file.uses[int(file.offsets[local]) : int(file.offsets[local + 1])]
        first = int(np.searchsorted(uses[:, 1], span[0], side="right"))
        last = int(np.searchsorted(uses[:, 0], span[1]))
        for start, end, number in uses[first:last].tolist():
            yield (start, end), file.shown(number)


@dataclass(frozen=True, slots=True)
class _File:
    """The arrays of one file, one behind the other."""

    offsets: Numbers
    """(documents + 1): where the uses of each document begin."""
    uses: Numbers
    """(uses, 3): start, end, definition."""
    definitions: Numbers
    """(definitions, 5): document, start, end, and from where to where its pieces are."""
    pieces: Numbers
    """(pieces, 3): start, end, what closes it."""

    @staticmethod
    def open(path: Path, entry: dict[str, Any]) -> _File:
        try:
            flat = cast("Numbers", np.load(path, mmap_mode="r"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: {error}; make the links again") from None
        cuts = np.cumsum([entry["documents"] + 1, 3 * entry["uses"], 5 * entry["definitions"]])
        offsets, uses, found, pieces = np.split(flat, cuts)
        return _File(offsets, uses.reshape(-1, 3), found.reshape(-1, 5), pieces.reshape(-1, 3))

    def shown(self, number: int) -> Shown:
        document, start, end, first, last = self.definitions[number].tolist()
        pieces = self.pieces[first:last].tolist()
        return Shown(document, (start, end), tuple(Piece(a, b, TAILS[t]) for a, b, t in pieces))


def account_of(folder: Path) -> dict[str, Any]:
    """Return what is said of the links in ``folder``; an empty account where there are none."""
    try:
        account = cast("dict[str, Any]", json.loads((folder / ACCOUNT).read_text(encoding="utf-8")))
        return account if account["format"] == FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
