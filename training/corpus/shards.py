"""How a corpus lies on disk: xz-compressed JSON lines and one manifest.

A document is a package, a path and a text. Lives here: reading and writing, nothing that
chooses. Reading needs only the standard library, because a pack reads its corpus with it.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from completion.errors import UsageError

FORMAT = 1
SHARD_BYTES = 16 * 2**20
"""Text in one shard before compression."""


@dataclass(frozen=True, slots=True)
class Document:
    """One source file: ``path`` is relative to where the package is installed."""

    package: str
    path: str
    text: str


def write_shards(
    documents: Iterable[Document], folder: Path, stem: str, *, preset: int = 4
) -> list[dict[str, Any]]:
    """Write ``stem-000.jsonl.xz`` … and return what the manifest says of each."""
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    buffer: list[bytes] = []
    size = 0

    def flush() -> None:
        nonlocal size
        raw = b"".join(buffer)
        name = f"{stem}-{len(entries):03d}.jsonl.xz"
        temporary = folder / (name + ".part")
        temporary.write_bytes(lzma.compress(raw, preset=preset))
        temporary.replace(folder / name)
        digest = hashlib.sha256(raw).hexdigest()
        entries.append({"file": name, "documents": len(buffer), "sha256": digest})
        buffer.clear()
        size = 0

    for document in documents:
        row = {"package": document.package, "path": document.path, "text": document.text}
        buffer.append(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")
        size += len(buffer[-1])
        if size >= SHARD_BYTES:
            flush()
    if buffer:
        flush()
    return entries


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
        raw = lzma.decompress((folder / entry["file"]).read_bytes())
        if hashlib.sha256(raw).hexdigest() != entry["sha256"]:
            raise UsageError(f"corpus {folder}: {entry['file']} is damaged; build the corpus again")
        for line in raw.splitlines():
            row = json.loads(line)
            yield Document(row["package"], row["path"], row["text"])
