"""Finished packages of an unfinished build, so that an interrupted one goes on.

Lives here: one file a package, its account first and its documents after. A file counts only for
the very settings it was made with, and all of them go when the corpus is whole.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
from pathlib import Path
from typing import Any, cast

from training.corpus.shards import Document

_PRESET = 1


class Partial:
    """The finished packages below ``folder``; ``key`` stands for the settings of the build."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder / "unfinished"
        self._key = hashlib.sha256(key.encode("utf-8")).hexdigest()[:16]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}-{self._key}.jsonl.xz"

    def load(self, name: str) -> tuple[dict[str, Any], list[Document]] | None:
        """Return a package's account and documents, or ``None`` where it has to be done."""
        path = self._path(name)
        if not path.is_file():
            return None
        head, *rows = lzma.decompress(path.read_bytes()).decode("utf-8").split("\n")
        documents = [Document(name, *json.loads(row)) for row in rows if row]
        return cast("dict[str, Any]", json.loads(head)), documents

    def save(self, name: str, account: dict[str, Any], documents: list[Document]) -> None:
        """Keep a finished package."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(account), *(json.dumps([d.path, d.text]) for d in documents)]
        temporary = self._path(name).with_suffix(".part")
        temporary.write_bytes(lzma.compress("\n".join(lines).encode("utf-8"), preset=_PRESET))
        temporary.replace(self._path(name))

    def clear(self) -> None:
        """Drop everything: the corpus is whole."""
        shutil.rmtree(self._folder, ignore_errors=True)
