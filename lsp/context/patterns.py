"""One ignore file's patterns, asked of one entry of a folder at a time.

pathspec reads the patterns. It matches whole paths, where a pattern that matches a folder matches
all below; git goes down from the root and asks each entry by itself, so that a later ``!keep/`` says
nothing of what is in ``keep``. Here a match counts only where it is of the entry itself. Patterns
that are plain names or endings, nearly all that people write, are looked up and not matched.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 1 << 20
"""An ignore file that is longer is not read: a pattern costs time for every entry."""

_NAME = re.compile(r"[\w.~@+, -]*[\w.~@+,-]")
"""A pattern that means nothing but the entry of this name."""

_MARK = "(?P<ps_d>/)"
"""What pathspec makes of ``*/`` and ``**/``: a slash anywhere."""
_ANY_FOLDER = re.compile(r".*(?P<ps_d>/)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern that has to be matched; ``number`` is its place in the file."""

    number: int
    ignores: bool
    found: re.Pattern[str]


class Patterns:
    """Patterns in their order; the last one that matches decides."""

    __slots__ = ("_endings", "_folder_names", "_names", "_others", "_size")

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._names: dict[str, tuple[int, bool]] = {}
        """Names of entries of any kind, with the number of the pattern and whether it ignores."""
        self._folder_names: dict[str, tuple[int, bool]] = {}
        self._endings: dict[str, tuple[int, bool]] = {}
        self._others: list[_Pattern] = []
        self._size = 0
        for line in lines:
            self._add(line)

    @classmethod
    def joined(cls, parts: Iterable[Patterns]) -> Patterns:
        """Return all patterns as if they stood in one file, one part behind the other."""
        all_of = cls()
        having = [part for part in parts if part._size]
        if len(having) < 2:
            return having[0] if having else NONE
        for part in having:
            base = all_of._size
            for mine, theirs in (
                (all_of._names, part._names),
                (all_of._folder_names, part._folder_names),
                (all_of._endings, part._endings),
            ):
                mine.update({key: (base + n, ignores) for key, (n, ignores) in theirs.items()})
            all_of._others += [_Pattern(base + p.number, p.ignores, p.found) for p in part._others]
            all_of._size += part._size
        return all_of

    def verdict(self, place: str) -> bool | None:
        """Return whether ``place`` is ignored, or None where no pattern has a word on it.

        ``place`` is relative to the patterns' folder; of a folder it ends with a slash.
        """
        if not self._size:
            return None
        is_folder = place.endswith("/")
        name = place[place.rfind("/", 0, -1) + 1 : len(place) - is_folder]
        number, ignores = self._names.get(name, (-1, None))
        if is_folder and name in self._folder_names:
            number, ignores = max((number, ignores), self._folder_names[name], key=_number)
        if self._endings:
            dot = name.find(".")
            while dot >= 0:
                if (found := self._endings.get(name[dot:])) is not None and found[0] > number:
                    number, ignores = found
                dot = name.find(".", dot + 1)
        for pattern in reversed(self._others):
            if pattern.number < number:
                break
            if _is_of(pattern.found, place):
                return pattern.ignores
        return ignores

    def _add(self, line: str) -> None:
        from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

        number = self._size
        self._size += 1
        plain = line.removeprefix("!")
        ignores = plain == line
        if _NAME.fullmatch(plain):
            self._names[plain] = (number, ignores)
        elif plain.endswith("/") and _NAME.fullmatch(plain[:-1]):
            self._folder_names[plain[:-1]] = (number, ignores)
        elif plain.startswith("*.") and _NAME.fullmatch(plain[1:]):
            self._endings[plain[1:]] = (number, ignores)
        else:
            try:
                found = GitIgnoreSpecPattern(line)
            except (ValueError, re.error):
                return  # git, too, passes over a line that is no pattern
            if found.include is not None and found.regex is not None:
                regex = _ANY_FOLDER if found.regex.pattern == _MARK else found.regex
                self._others.append(_Pattern(number, found.include, regex))


NONE = Patterns()
"""No patterns: what nearly all folders have, kept once."""


def patterns_in(path: Path) -> Patterns:
    """Return the patterns of an ignore file; none where there is no such regular file.

    A link is not followed, as git does not: it may lead out of the workspace.
    """
    try:
        fd = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        )
    except (OSError, ValueError):
        return NONE
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            return NONE
        data = file.read(MAX_BYTES)
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return Patterns(_kept(os.fsdecode(line)) for line in lines)


def _kept(line: str) -> str:
    """Return a line without its line end and the blanks behind, unless a backslash keeps one."""
    line = line.removesuffix("\r")
    kept = line.rstrip(" ")
    slashes = len(kept) - len(kept.rstrip("\\"))
    return kept + " " if slashes % 2 and kept != line else kept


def _is_of(found: re.Pattern[str], place: str) -> bool:
    """Whether a pattern means ``place`` itself and not a folder above it."""
    match = found.match(place)
    if match is None:
        return False
    mark = match.groupdict().get("ps_d")
    return mark is None or match.end("ps_d") == len(place)


def _number(one: tuple[int, bool | None]) -> int:
    return one[0]
