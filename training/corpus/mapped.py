"""A corpus as training reads it: texts in the page cache, not in the memory of the process.

``train-000.text`` holds the texts of the first training shard one behind the other, then their
paths; ``train-000.npy`` says where each of them lies. ``train-000.spans.npy`` and
``train-000.types`` hold what one parse of them found, see ``columns``. ``order.npy`` and
``stands.npy`` hold the order of imports. Lives here: the format and reading it. The files are
written by ``mapping``.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, overload

import numpy as np
import numpy.typing as npt

from completion.errors import UsageError
from training.corpus.columns import StoredShard
from training.corpus.shards import Document, read_manifest
from training.corpus.tools import tools

FORMAT = 2
"""Of the files, and of the rules by which imports, nodes, names and types are found."""
FOLDER = "mapped"
"""Where the mapped form lies in the folder of its corpus."""
ENDINGS = (".text", ".npy", ".spans.npy", ".types")
"""Of the files of a shard, in the order of the account's sizes."""
ACCOUNT = "mapped.json"
ORDER, STANDS = "order.npy", "stands.npy"
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _File:
    """One shard, mapped."""

    data: mmap.mmap | bytes
    places: Places
    """(documents, 5): start and end of the text, start and end of the path, package; in bytes."""
    packages: list[str]
    columns: StoredShard

    @staticmethod
    def open(folder: Path, entry: dict[str, Any]) -> _File:
        text, index, spans, types = shard_files(folder, entry)
        try:
            data, types_of = _map(text), _map(types)
            places = cast("Places", np.load(index, mmap_mode="r"))
            flat = np.load(spans, mmap_mode="r")
            columns = StoredShard.of(flat, types_of, len(places))
        except (OSError, ValueError, UsageError) as error:
            raise UsageError(f"{text}: {error}; delete {folder}, it is made again") from None
        return _File(data, places.view(np.ndarray), entry["packages"], columns)

    def document(self, row: int) -> Document:
        start, end = self.places[row, :2].tolist()
        text = self.data[start:end].decode("utf-8", "surrogatepass")
        return Document(*self.name(row), text, self.columns.document(row, start, end))

    def name(self, row: int) -> tuple[str, str]:
        start, end, package = self.places[row, 2:].tolist()
        return self.packages[package], self.data[start:end].decode("utf-8", "surrogatepass")


class MappedDocuments(Sequence[Document]):
    """The documents of one part, each decoded when it is asked for. Processes that fork share them."""

    def __init__(self, folder: Path, part: str) -> None:
        """Open what is mapped in ``folder``; it must be whole, as ``mapping`` leaves it."""
        self._folder, self._part = folder, part
        self._files = [_File.open(folder, entry) for entry in account_of(folder)["parts"][part]]
        self._firsts = np.cumsum([0, *(len(file.places) for file in self._files)])

    def __len__(self) -> int:
        return int(self._firsts[-1])

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> list[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | list[Document]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        file, row = self._find(index)
        return file.document(row)

    def name(self, index: int) -> tuple[str, str]:
        """Return package and path of a document without touching its text."""
        file, row = self._find(index)
        return file.name(row)

    def stands(self) -> list[list[int]]:
        """Return the packages, of each its documents in the order of their imports.

        Raises:
            UsageError: the order was not made.
        """
        if self._part != "train" or not (self._folder / ORDER).is_file():
            raise UsageError(f"{self._folder}: it has no order of imports; delete it, it is made")
        order = np.load(self._folder / ORDER)
        starts = np.load(self._folder / STANDS)
        return [part.tolist() for part in np.split(order, starts[1:])]

    def _find(self, index: int) -> tuple[_File, int]:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        at = int(np.searchsorted(self._firsts, index, side="right")) - 1
        return self._files[at], index - int(self._firsts[at])


def names(documents: Sequence[Document]) -> Iterator[tuple[str, str]]:
    """Yield package and path of each document; of mapped ones no text is read."""
    if isinstance(documents, MappedDocuments):
        yield from map(documents.name, range(len(documents)))
    else:
        yield from ((document.package, document.path) for document in documents)


def is_mapped(corpus: Path, folder: Path, *, ordered: bool) -> bool:
    """Whether ``folder`` holds all of ``corpus`` as it is now, found by what is installed now."""
    account = account_of(folder)
    if not account.get("whole") or (ordered and not account.get("ordered")):
        return False
    parts, known = read_manifest(corpus)["parts"], tools()
    return all(
        len(account["parts"][part]) == len(shards)
        and all(
            entry_is_good(folder, entry, shard, known)
            for entry, shard in zip(account["parts"][part], shards, strict=True)
        )
        for part, shards in parts.items()
    )


def entry_is_good(
    folder: Path, entry: dict[str, Any] | None, shard: dict[str, Any], known: dict[str, str]
) -> bool:
    """Whether the files of a shard are there with the sizes that were written, of this shard as it
    is and by the ``known`` tools."""
    if entry is None or entry["shard"] != shard or entry["tools"] != known:
        return False
    try:
        return [path.stat().st_size for path in shard_files(folder, entry)] == entry["sizes"]
    except OSError:
        return False


def shard_files(folder: Path, entry: dict[str, Any]) -> list[Path]:
    """Return the paths of the files of a shard, in the order of :data:`ENDINGS`."""
    return [folder / (entry["file"] + ending) for ending in ENDINGS]


def _map(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        # An empty file cannot be mapped.
        size = path.stat().st_size
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""


def account_of(folder: Path) -> dict[str, Any]:
    """Return what is said of the files in ``folder``; an empty account where there are none."""
    try:
        account = cast("dict[str, Any]", json.loads((folder / ACCOUNT).read_text(encoding="utf-8")))
        return account if account["format"] == FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
