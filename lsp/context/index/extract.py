"""What is kept of one file: the hashes of the names that it defines, and where. Pure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from completion.syntax.definitions import Definition, definitions
from completion.syntax.languages import Language
from lsp.context.index.place import MAX_OFFSET, Span

MAX_LINE = 5000
"""Bytes; a file with a longer line was written by a program, and nobody calls what it defines."""
MAX_NAME = 200
MAX_NAMES = 4000
"""Most definitions kept of one file, the first."""


def defined(
    language: Language, source: bytes, hashed: Callable[[bytes], int]
) -> dict[int, list[Span]]:
    """Return the places that ``source`` defines names at, by the hash of the name.

    Nothing where the language has no grammar here, or the text was made by a program.
    """
    if len(source) > MAX_OFFSET or longest_line(source) > MAX_LINE:
        return {}
    try:
        found = definitions(language, source)
    except (ImportError, ValueError, TypeError, RecursionError):
        return {}
    places: dict[int, list[Span]] = {}
    for definition, member in nested(found[:MAX_NAMES]):
        if 0 < len(definition.name) <= MAX_NAME:
            span = Span(definition.at, definition.start, definition.end, member)
            places.setdefault(hashed(definition.name), []).append(span)
    return places


def nested(found: list[Definition]) -> list[tuple[Definition, bool]]:
    """Return each definition with whether it stands within another one."""
    out: list[tuple[Definition, bool]] = []
    open_until: list[int] = []
    for one in sorted(found, key=lambda d: (d.start, -d.end, d.at)):
        while open_until and open_until[-1] <= one.start:
            open_until.pop()
        out.append((one, bool(open_until)))
        open_until.append(one.end)
    return out


def longest_line(source: bytes) -> int:
    """Return the length of the longest line, or of one that is longer than :data:`MAX_LINE`."""
    start = longest = 0
    while start < len(source) and longest <= MAX_LINE:
        end = source.find(b"\n", start)
        end = len(source) if end < 0 else end
        longest = max(longest, end - start)
        start = end + 1
    return longest


def stem(path: str) -> bytes:
    """Return a file's name without its ending, as an import spells it."""
    return PurePosixPath(path).stem.encode("utf-8", "surrogateescape")
