"""Reading the files of a package by their paths, in whatever process their turn comes.

A reader says where files lie and holds none, so it can be sent to a worker. Lives here: bytes, or
why there are none; no judgement of either.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from training.corpus.reading import Unreadable, read_bounded


@dataclass(frozen=True, slots=True)
class File:
    """A file of a package: its path there and its bytes, or why it has none."""

    path: str
    data: bytes
    reason: str = ""


class Reader(Protocol):
    """Where the files of one package lie."""

    def read(self, paths: Iterable[str]) -> Iterator[File]:
        """Yield the files at ``paths``, each read when its turn comes."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderReader:
    """Files below ``root``, up to ``limit`` bytes; links are not followed."""

    root: Path
    limit: int

    def read(self, paths: Iterable[str]) -> Iterator[File]:
        """Yield the files at ``paths``."""
        return _read(paths, lambda path: self.root / path, self.limit)


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledReader:
    """Files that were installed below ``root``, up to ``limit`` bytes; some installers link them."""

    root: Path
    limit: int

    def read(self, paths: Iterable[str]) -> Iterator[File]:
        """Yield the files at ``paths``."""
        return _read(paths, lambda path: (self.root / path).resolve(), self.limit)


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelReader:
    """Files in the archive at ``wheel``, up to ``limit`` bytes."""

    wheel: Path
    limit: int

    def read(self, paths: Iterable[str]) -> Iterator[File]:
        """Yield the files at ``paths``."""
        with zipfile.ZipFile(self.wheel) as archive:
            for path in paths:
                if archive.getinfo(path).file_size > self.limit:
                    yield File(path, b"", "too large")
                    continue
                try:
                    yield File(path, archive.read(path))
                except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError):
                    yield File(path, b"", "unreadable")


def _read(paths: Iterable[str], locate: Callable[[str], Path], limit: int) -> Iterator[File]:
    for path in paths:
        try:
            yield File(path, read_bounded(locate(path), limit))
        except Unreadable as error:
            yield File(path, b"", error.reason)
