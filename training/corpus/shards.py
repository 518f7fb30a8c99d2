"""How a corpus lies on disk: xz-compressed JSON lines and one manifest.

A document is a package, a path and a text. Lives here: reading and writing, nothing that
chooses. Reading needs only the standard library, because a pack reads its corpus with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from completion.errors import UsageError

if TYPE_CHECKING:
    from training.objectives.parsed import Parsed

FORMAT = 1
SHARD_BYTES = 16 * 2**20
"""Text in one shard before compression."""


@dataclass(frozen=True, slots=True)
class Document:
    """One source file: ``path`` is relative to where the package is installed."""

    package: str
    path: str
    text: str
    parsed: Parsed | None = field(default=None, compare=False, repr=False)
    """What one parse found in it, where that is stored."""


class ShardWriter:
    """Writes ``stem-000.jsonl.xz`` …, each compressed as its documents come.

    ``entries`` is what the manifest says of each whole shard; give those that are there already to
    go on behind them. A shard gets its name only when it is whole. As a context it drops the open
    shard when it is left by an exception. Raises OSError where the disk is full.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        *,
        preset: int = 4,
        entries: list[dict[str, Any]] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._stem, self._preset = folder, stem, preset
        self.entries = list(entries or [])
        self._open: _OpenShard | None = None

    def add(self, document: Document) -> bool:
        """Write a document; whether its shard became whole with it."""
        row = {"package": document.package, "path": document.path, "text": document.text}
        if self._open is None:
            name = f"{self._stem}-{len(self.entries):03d}.jsonl.xz"
            self._open = _OpenShard(self._folder / name, self._preset)
        self._open.add(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")
        return self._open.size >= SHARD_BYTES and self._close()

    def finish(self) -> list[dict[str, Any]]:
        """Close the open shard, if there is one, and return all entries."""
        if self._open is not None:
            self._close()
        return self.entries

    def _close(self) -> bool:
        assert self._open is not None
        self.entries.append(self._open.close())
        self._open = None
        return True

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._open is not None and kind is not None:
            self._open.drop()


class _OpenShard:
    """One shard while it is written, under a name that says so."""

    def __init__(self, path: Path, preset: int) -> None:
        self._path, self._temporary = path, path.with_name(path.name + ".part")
        self._file = self._temporary.open("wb")
        self._compressor = lzma.LZMACompressor(preset=preset)
        self._hash = hashlib.sha256()
        self.size = self._documents = 0

    def add(self, row: bytes) -> None:
        self._file.write(self._compressor.compress(row))
        self._hash.update(row)
        self.size += len(row)
        self._documents += 1

    def close(self) -> dict[str, Any]:
        self._file.write(self._compressor.flush())
        self._file.close()
        self._temporary.replace(self._path)
        digest = self._hash.hexdigest()
        return {"file": self._path.name, "documents": self._documents, "sha256": digest}

    def drop(self) -> None:
        with contextlib.suppress(OSError):  # a full disk may refuse what was still buffered
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def write_shards(
    documents: Iterable[Document], folder: Path, stem: str, *, preset: int = 4
) -> list[dict[str, Any]]:
    """Write all ``documents`` to ``stem-000.jsonl.xz`` … and return what the manifest says of each."""
    with ShardWriter(folder, stem, preset=preset) as writer:
        for document in documents:
            writer.add(document)
        return writer.finish()


def shard_is_whole(folder: Path, entry: dict[str, Any]) -> bool:
    """Whether the shard that ``entry`` speaks of is there and holds what it says."""
    try:
        with lzma.open(folder / entry["file"]) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry["sha256"]
    except (OSError, EOFError, lzma.LZMAError):
        return False


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write ``manifest.json``, last of all: a folder without it is an unfinished corpus."""
    text = json.dumps({"format": FORMAT, **manifest}, indent=1, sort_keys=True)
    temporary = folder / "manifest.json.part"
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(folder / "manifest.json")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check the manifest of the corpus in ``folder``."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise UsageError(f"corpus {folder}: no manifest.json; build it with caret corpus --out DIR")
    manifest = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
    if manifest.get("format") != FORMAT:
        raise UsageError(f"corpus {folder}: format {manifest.get('format')}, not {FORMAT}")
    return manifest


def read_documents(folder: Path, part: str = "train") -> Iterator[Document]:
    """Yield the documents of one part (``train`` or ``held_out``), checking each shard's hash."""
    for entry in read_manifest(folder)["parts"][part]:
        yield from read_shard(folder, entry)


def read_shard(folder: Path, entry: dict[str, Any]) -> Iterator[Document]:
    """Yield the documents of the shard that ``entry`` of the manifest speaks of, checking its hash."""
    raw = lzma.decompress((folder / entry["file"]).read_bytes())
    if hashlib.sha256(raw).hexdigest() != entry["sha256"]:
        raise UsageError(f"corpus {folder}: {entry['file']} is damaged; build the corpus again")
    for line in raw.splitlines():
        row = json.loads(line)
        yield Document(row["package"], row["path"], row["text"])
