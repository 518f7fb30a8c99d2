"""Making the links of a corpus, once, by ``caret corpus --links``.

Packages are linked by several workers and written in the corpus's order, a file for each shard. A
file is whole or not there, an interrupted run goes on behind the last one, and the same corpus
gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from completion.errors import CaretError
from training.corpus.link_files import ACCOUNT, FORMAT, account_of
from training.corpus.links import PackageLinks, link_package
from training.corpus.scale import Workers, local
from training.corpus.shards import read_manifest
from training.corpus.stretches import Located, locate, runs_of_shard, stretches


def make_links(
    folder: Path,
    processes: int,
    progress: Callable[[int, int], None],
    workers: Workers | None = None,
) -> dict[str, int]:
    """Link the training part of the corpus in ``folder``; ``progress`` gets documents and total.

    ``workers`` do it; where none are given, ``processes`` of this machine.

    Returns how many documents there are, how many of them have links, how many names are linked
    and how many definitions they refer to, counted anew in every file.
    """
    writer = _Writer(folder)
    total = sum(entry["documents"] for entry in writer.shards)
    progress(writer.begin, total)
    if writer.begin < total:
        for first, links in _linked(folder, writer, workers or local(processes)):
            writer.add(first, links)
            progress(first + len(links.uses), total)
    return writer.finish()


def _linked(folder: Path, writer: _Writer, workers: Workers) -> Iterator[tuple[int, PackageLinks]]:
    """Link the packages that have a document without a file; they come back in order."""
    runs = [
        run for found in workers.map(partial(runs_of_shard, folder), writer.shards) for run in found
    ]
    left = list(stretches(runs, writer.begin))
    located = (locate(folder, writer.shards, stretch) for stretch in left)
    for stretch, packages in zip(left, workers.map(link_stretch, located), strict=True):
        first = stretch.first
        for links in packages:
            yield first, links
            first += len(links.uses)


def link_stretch(located: Located) -> list[PackageLinks]:
    """Link each package of a stretch."""
    return [link_package(documents) for documents in located.read()]


class _Writer:
    """Writes the files in order, from the first that is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.shards: list[dict[str, Any]] = read_manifest(folder)["parts"]["train"]
        self._entries: list[dict[str, Any]] = []
        for entry, shard in zip(account_of(folder).get("files", []), self.shards, strict=False):
            if entry["shard"] != shard or not (folder / entry["file"]).is_file():
                break
            self._entries.append(entry)
        self.begin = sum(entry["documents"] for entry in self._entries)
        """The first document that has no file."""
        self._open = _File()

    def add(self, first: int, links: PackageLinks) -> None:
        """Add a package whose first document is document ``first`` of the corpus."""
        self._open.numbers = {}
        for number in range(len(links.uses)):
            if first + number >= self.begin:
                self._open.add(links, number, first)
                if len(self._open.counts) == self.shards[len(self._entries)]["documents"]:
                    self._close()

    def finish(self) -> dict[str, int]:
        """Say that all is there, and how much."""
        self._account(whole=True)
        names = ("documents", "linked", "uses", "definitions")
        return {name: sum(entry[name] for entry in self._entries) for name in names}

    def _close(self) -> None:
        path = self._folder / f"links-{len(self._entries):03d}.npy"
        try:
            account = self._open.write(path)
            self._entries.append({"shard": self.shards[len(self._entries)], **account})
            self._account(whole=False)
        except OSError as error:
            raise CaretError(
                f"--links {self._folder}: {error.strerror or error}; mend that and give the same "
                "command again: it goes on from the last whole file"
            ) from error
        self._open = _File()

    def _account(self, *, whole: bool) -> None:
        table = {"format": FORMAT, "whole": whole, "files": self._entries}
        temporary = self._folder / (ACCOUNT + ".part")
        temporary.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(self._folder / ACCOUNT)


@dataclass(slots=True)
class _File:
    """One file while it is put together."""

    counts: list[int] = field(default_factory=list[int])
    uses: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    definitions: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])
    pieces: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    numbers: dict[int, int] = field(default_factory=dict[int, int])
    """Of the package under way: its definitions' numbers to those of this file."""

    def add(self, links: PackageLinks, number: int, first: int) -> None:
        """Add document ``number`` of a package whose first is document ``first`` of the corpus."""
        self.counts.append(len(links.uses[number]))
        for start, end, which in links.uses[number]:
            if which not in self.numbers:
                self.numbers[which] = len(self.definitions)
                found, at = links.definitions[which], len(self.pieces)
                self.pieces += found.pieces
                self.definitions.append(
                    (first + found.document, *found.whole, at, len(self.pieces))
                )
            self.uses.append((start, end, self.numbers[which]))

    def write(self, path: Path) -> dict[str, Any]:
        offsets = np.concatenate(([0], np.cumsum(self.counts)))
        parts = [
            offsets,
            *(np.array(p).ravel() for p in (self.uses, self.definitions, self.pieces)),
        ]
        temporary = path.with_name(path.name + ".part")
        with temporary.open("wb") as file:
            np.save(file, np.concatenate(parts).astype(np.int32))
        temporary.replace(path)
        linked = sum(count > 0 for count in self.counts)
        return {
            "file": path.name, "documents": len(self.counts), "uses": len(self.uses),
            "definitions": len(self.definitions), "linked": linked,
        }  # fmt: skip
