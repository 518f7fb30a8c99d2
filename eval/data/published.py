"""What is registered: the public data sets as their projects publish them.

Lives here: the types of ``registry.toml`` and its reading. Nothing here looks for a file.
"""

from __future__ import annotations

import fnmatch
import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedFile:
    """One file of a data set."""

    name: str
    suites: tuple[str, ...]
    alternatives: tuple[str, ...] = ()
    rows: int = 0
    sha256: str = ""
    had: bool = False
    sample: bool = False
    parts: bool = False
    """Published in several files, all of which are wanted."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """The names it goes by, the usual one first."""
        return (self.name, *self.alternatives)

    def bears(self, name: str) -> bool:
        """Tell whether a file called ``name`` (no folder) claims to be this one."""
        return any(
            fnmatch.fnmatchcase(plain(name), plain(PurePosixPath(pattern).name))
            for pattern in self.patterns
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSet:
    """One project's data set."""

    name: str
    licence: str
    source: str
    get: str
    folders: tuple[str, ...]
    files: tuple[PublishedFile, ...]
    hub: str = ""

    def of(self, suite: str) -> tuple[PublishedFile, ...]:
        """Return the files that ``suite`` reads."""
        return tuple(file for file in self.files if suite in file.suites)


@functools.cache
def data_sets() -> tuple[DataSet, ...]:
    """Return all data sets of ``registry.toml``."""
    text = Path(__file__).with_name("registry.toml").read_text(encoding="utf-8")
    return tuple(_data_set(table) for table in tomllib.loads(text)["set"])


def _data_set(table: dict[str, Any]) -> DataSet:
    files = tuple(
        PublishedFile(
            **row
            | {
                "suites": tuple(row["suites"]),
                "alternatives": tuple(row.get("alternatives", ())),
            }
        )
        for row in table.pop("file")
    )
    return DataSet(**table | {"folders": tuple(table["folders"]), "files": files})


def data_set_of(suite: str) -> DataSet | None:
    """Return the data set that ``suite`` reads; ``None`` where it needs none."""
    return next((known for known in data_sets() if known.of(suite)), None)


def plain(name: str) -> str:
    """Return a file's name as it is without its compression."""
    return name.removesuffix(".gz")
