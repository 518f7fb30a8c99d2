"""What must not be trained on: benchmark items, and files of packages kept for evaluation.

Pure but for reading the benchmark's files. Matching ignores blanks: an item counts as contained
when its text, with runs of blanks as one space, occurs in the file's.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from completion.errors import UsageError

MIN_ITEM = 50
"""Characters an item must have to be looked for; a shorter one is a phrase anyone writes."""
MIN_LINE = 24
"""Characters of a line that identifies an item or a copied file."""
MAX_SHARED = 0.4
"""Share of a file's telling lines that may also stand in one held-out package."""
_FIELDS = ("prompt", "canonical_solution", "code", "ground_truth")
_HOLE = re.compile(r"(?m)^.*(?:TODO: Your code here|Complete the (?:following )?code).*$")


def squeeze(text: str) -> str:
    """Return ``text`` with every run of blanks as one space, none at its ends."""
    return " ".join(text.split())


def telling_lines(text: str) -> set[str]:
    """Return the lines of ``text``, squeezed, that are long enough to identify it."""
    lines = (squeeze(line) for line in text.splitlines())
    return {line for line in lines if len(line) >= MIN_LINE}


class Benchmarks:
    """Items of public benchmarks, looked up by the longest line of each."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_line: dict[str, list[str]] = defaultdict(list)
        self.size = 0
        for text in texts:
            needle, lines = squeeze(text), telling_lines(text)
            if len(needle) >= MIN_ITEM and lines:
                self._by_line[max(lines, key=lambda line: (len(line), line))].append(needle)
                self.size += 1

    def contained_in(self, text: str) -> bool:
        """Whether any item occurs in ``text``."""
        needles = [n for line in telling_lines(text) for n in self._by_line.get(line, ())]
        if not needles:
            return False
        squeezed = squeeze(text)
        return any(needle in squeezed for needle in needles)


def read_benchmarks(folder: Path) -> Benchmarks:
    """Read every ``*.jsonl`` and ``*.jsonl.gz`` below ``folder``; items are their code fields."""
    paths = sorted(p for p in folder.rglob("*.jsonl*") if p.is_file())
    if not paths:
        raise UsageError(f"--decontaminate {folder}: no *.jsonl or *.jsonl.gz files below it")
    return Benchmarks(text for path in paths for text in _items(path))


def _items(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = cast("dict[str, Any]", json.loads(line)) if line.strip() else {}
            for name in _FIELDS:
                if isinstance(row.get(name), str):
                    yield from _HOLE.split(row[name])


class HeldOut:
    """The telling lines of the held-out packages: finds vendored and renamed copies of them."""

    def __init__(self) -> None:
        self._packages: dict[str, set[int]] = defaultdict(set)

    def add(self, package: str, text: str) -> None:
        """Take one file of a held-out package in."""
        self._packages[package].update(map(_key, telling_lines(text)))

    def copied_in(self, text: str) -> str | None:
        """Return the package from which more than :data:`MAX_SHARED` of the lines come."""
        keys = set(map(_key, telling_lines(text)))
        if len(keys) < 4:
            return None
        for package, known in self._packages.items():
            if len(keys & known) > MAX_SHARED * len(keys):
                return package
        return None


def _key(line: str) -> int:
    return int.from_bytes(hashlib.blake2b(line.encode("utf-8"), digest_size=8).digest(), "big")


def fingerprint(text: str, comment: str = "#") -> bytes:
    """Return the hash by which two files count as the same, 16 bytes: blanks at line ends, blank
    lines and lines that begin with ``comment`` are left out."""
    lines = (line.rstrip() for line in text.splitlines())
    opener = comment or "\0"  # of which a text that was let in has none
    body = "\n".join(line for line in lines if line and not line.lstrip().startswith(opener))
    return hashlib.blake2b(body.encode("utf-8"), digest_size=16).digest()
