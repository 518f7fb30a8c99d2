"""Stretches of a corpus: whole packages in a row, the pieces of what works on packages.

A package may lie in several shards and a shard holds many packages; a stretch says which of the
shards' documents a worker is to read. Pure but for reading shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from training.corpus.shards import Document, read_shard

Run = tuple[str, int]
"""A package and how many of its documents follow one another."""
STRETCH = 128
"""Documents from which on a stretch is not lengthened: some seconds of work."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Packages in a row."""

    first: int
    """The corpus's document with which it begins."""
    counts: tuple[int, ...]
    """Documents of each package."""

    @property
    def end(self) -> int:
        """The document behind it."""
        return self.first + sum(self.counts)


def runs_of_names(packages: Iterable[str]) -> list[Run]:
    """Return the runs of documents of one package, from the package of each document."""
    return [(name, sum(1 for _ in group)) for name, group in groupby(packages)]


def stretches(runs: Iterable[Run], begin: int = 0) -> Iterator[Stretch]:
    """Yield the stretches of the packages that have a document from ``begin`` on.

    ``runs`` are those of the whole corpus; of one package behind one another they are one.
    """
    end, counts = 0, list[int]()
    for _, group in groupby(runs, key=lambda run: run[0]):
        count = sum(count for _, count in group)
        end += count
        if end > begin:
            counts.append(count)
        if sum(counts) >= STRETCH:
            yield Stretch(end - sum(counts), tuple(counts))
            counts = []
    if counts:
        yield Stretch(end - sum(counts), tuple(counts))


def runs_of_shard(folder: Path, shard: dict[str, Any]) -> list[Run]:
    """Return the runs of one shard's documents."""
    return runs_of_names(document.package for document in read_shard(folder, shard))


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """A stretch and the shards that its documents lie in."""

    folder: Path
    shards: tuple[dict[str, Any], ...]
    skipped: int
    """Documents of the first shard before it."""
    stretch: Stretch

    def read(self) -> list[list[Document]]:
        """Return the documents of each package."""
        found: list[Document] = []
        for shard in self.shards:
            found += _documents(self.folder, shard["file"], shard["sha256"])
        packages: list[list[Document]] = []
        at = self.skipped
        for count in self.stretch.counts:
            packages.append(found[at : at + count])
            at += count
        return packages


def locate(folder: Path, shards: Sequence[dict[str, Any]], stretch: Stretch) -> Located:
    """Find the shards, entries of the manifest, that hold a stretch."""
    first, at = 0, 0
    while at + shards[first]["documents"] <= stretch.first:
        at += shards[first]["documents"]
        first += 1
    last, behind = first, at
    while behind < stretch.end:
        behind += shards[last]["documents"]
        last += 1
    return Located(
        folder=folder,
        shards=tuple(shards[first:last]),
        skipped=stretch.first - at,
        stretch=stretch,
    )


@lru_cache(maxsize=1)
def _documents(folder: Path, file: str, sha256: str) -> list[Document]:
    """One shard, kept: the next stretch mostly lies in it too."""
    return list(read_shard(folder, {"file": file, "sha256": sha256}))
