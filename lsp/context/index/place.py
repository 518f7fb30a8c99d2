"""A definition's place as the index knows it, and how places are packed."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_ONE = struct.Struct("<III")
_MEMBER = 1 << 31
MAX_OFFSET = _MEMBER - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One definition in a file, as it was when that was indexed; offsets are bytes.

    The file may have changed since: read it again (:func:`lsp.context.reading.read`) and look there.
    """

    root: Path
    """The workspace folder."""
    path: str
    """Relative to it, with slashes; bytes that are no UTF-8 as surrogates, as Python has them."""
    at: int
    """Where its name stands."""
    start: int
    end: int
    """All of it, with what decorates it."""
    member: bool
    """Whether it stands within another definition."""
    language: str
    """As :data:`completion.syntax.languages.LANGUAGES` calls it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stats:
    """How far the index is and what it took; a snapshot."""

    state: str = "off"
    """"off", "starting", "indexing", "ready", "shared" (another server's process keeps it),
    "failed"."""
    files: int = 0
    names: int = 0
    """Names per file, summed up."""
    read: int = 0
    """Files that were read since the process began."""
    passes: int = 0
    """How often the whole folder was gone through."""
    pass_seconds: float = 0.0
    """How long the last time took, from its begin to its end."""
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    """Most memory that the process had, resident."""
    store_bytes: int = 0
    """Size of the kept file; 0: it is in memory only."""
    note: str = ""
    """What is wrong, if anything is."""


@dataclass(frozen=True, slots=True)
class Span:
    """A definition without its file."""

    at: int
    start: int
    end: int
    member: bool


def pack(spans: Iterable[Span]) -> bytes:
    """Return ``spans`` as bytes, 12 each."""
    return b"".join(
        _ONE.pack(span.at, span.start, span.end | _MEMBER * span.member) for span in spans
    )


def unpack(data: bytes) -> Iterator[Span]:
    """Yield what :func:`pack` was given; a torn end is left out."""
    for at, start, end in _ONE.iter_unpack(data[: len(data) - len(data) % _ONE.size]):
        yield Span(at, start, end & MAX_OFFSET, bool(end & _MEMBER))
