"""The files of a workspace folder that an index is made of: source code that may be read.

No link is followed: what it leads to inside of the folder is met there. Folders of installed
packages and hidden ones hold nobody's own definitions.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from completion.syntax.languages import Language, language_for
from lsp.context.ignore import Rules
from lsp.context.reading import Stamp

_NEVER = frozenset(
    {"node_modules", "site-packages", "dist-packages", "__pycache__", "bower_components"}
)
_ENVIRONMENT = "pyvenv.cfg"
"""What a virtual environment has at its top."""

_DATA = frozenset(
    {"json", "yaml", "toml", "markdown", "html", "css", "scss", "make", "dockerfile"}
)  # fmt: skip
"""Languages in which nothing is defined that code refers to by name."""

MAX_ENTRIES = 2_000_000
"""Most entries of folders that one walk looks at."""


class Unreachable(Exception):
    """The folder itself cannot be read: what is known of it stays."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file, or (``path`` empty) a folder that was gone through without one."""

    path: str
    stamp: Stamp | None = None
    language: Language | None = None


def language_of(path: str) -> Language | None:
    """Return the language of a file that can have definitions, or None."""
    language = language_for("", path)
    if language is None or not language.grammar or language.name in _DATA:
        return None
    return language


def walk(rules: Rules, *, entries: int = MAX_ENTRIES) -> Iterator[Seen]:
    """Yield each file, and each folder as it is done, so that who walks can stop or rest anywhere.

    Raises:
        Unreachable: the root cannot be read.
    """
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(rules.root / folder) as scan:
                found = list(scan)
        except (OSError, ValueError):
            if not folder:
                raise Unreachable from None
            continue
        entries -= len(found)
        if entries < 0:
            return
        if folder and any(entry.name == _ENVIRONMENT for entry in found):
            continue
        inside: list[str] = []
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    if _is_own(entry.name) and not rules.refuses_folder(folder, entry.name):
                        inside.append(f"{folder}{entry.name}/")
                    continue
                seen = _seen(rules, folder, entry)
            except OSError:
                continue
            if seen is not None:
                yield seen
        waiting += sorted(inside, reverse=True)
        yield Seen("")


def look(rules: Rules, path: str) -> Seen | None:
    """Return one file as a walk would see it, or None where it would not."""
    folder, _, name = path.rpartition("/")
    parents = folder.split("/") if folder else []
    if not all(_is_own(part) for part in parents) or rules.refuses_name(path):
        return None
    language = language_of(name)
    try:
        at = rules.root
        for part in parents:
            at = at / part
            if stat.S_ISLNK(at.lstat().st_mode):
                return None
        found = (rules.root / path).lstat()
    except (OSError, ValueError):
        return None
    if language is None or not stat.S_ISREG(found.st_mode) or found.st_size > rules.max_bytes:
        return None
    return Seen(path, Stamp.of(found), language)


def _seen(rules: Rules, folder: str, entry: os.DirEntry[str]) -> Seen | None:
    language = language_of(entry.name)
    if language is None or entry.is_symlink() or rules.refuses_entry(folder, entry.name):
        return None
    found = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode) or found.st_size > rules.max_bytes:
        return None
    return Seen(folder + entry.name, Stamp.of(found), language)


def _is_own(folder: str) -> bool:
    return folder not in _NEVER and not folder.startswith(".")
