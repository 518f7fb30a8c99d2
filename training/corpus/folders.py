"""The source files below a folder: found without following a link, ignored files left out.

Memory grows with the number of source files, by the length of a path each. Lives here: the walk.
What of a file's bytes is good is :mod:`training.corpus.filters`'s to say; only what a name, a kind
or a size decides is decided here, before anything is read.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from training.corpus import filters
from training.corpus.folder_licences import is_licence_file, licence_in
from training.corpus.languages import language_of
from training.corpus.reading import Unreadable, read_bounded

_NEVER = frozenset([".git", ".hg", ".svn", ".jj", "__pycache__", "site-packages"])
"""Folders that hold no source of the folder's own; files in them are not counted."""
_ENVIRONMENT = "pyvenv.cfg"
"""What a virtual environment has at its top: all below is other people's."""
_IGNORE_BYTES = 1_000_000


@dataclass(kw_only=True)
class Listing:
    """What a walk found: ``paths`` are relative, in no promised order, undecodable bytes escaped."""

    paths: list[str] = field(default_factory=list[str])
    dropped: Counter[str] = field(default_factory=Counter[str])
    """Why the other files are not among ``paths``."""
    digest: str = ""
    """Of names, sizes and times of change: another digest, another content."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder that is still to be gone through."""

    path: str
    """Relative to the root, with a slash at its end; empty for the root."""
    ignores: tuple[tuple[int, GitIgnoreSpec], ...]
    """Rules in force, the nearest last, each with the length of the path that it is relative to."""
    refused: str
    """Why no file below is taken: a licence of its own, a vendored copy."""


def list_folder(root: Path, *, trust: bool) -> Listing:
    """Walk ``root``. With ``trust`` licences of folders inside do not matter: it was given by hand."""
    listing, digest = Listing(), hashlib.sha256()
    waiting = [_Place("", (), "")]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(root / place.path) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            listing.dropped["unreadable folder"] += 1
            continue
        names = {entry.name for entry in entries}
        if _ENVIRONMENT in names:
            continue
        place = _enter(root, place, names, trust=trust)
        for entry in reversed(entries):
            path = place.path + entry.name
            folder = entry.is_dir(follow_symlinks=False)
            if _is_ignored(path + "/" * folder, place.ignores):
                continue
            if folder:
                if entry.name not in _NEVER:
                    foreign = "vendored" if filters.is_foreign(entry.name) else ""
                    inside = _Place(path + "/", place.ignores, place.refused or foreign)
                    waiting.append(inside)
                continue
            reason, mark = _judge(entry, path)
            reason = reason or place.refused
            if reason:
                listing.dropped[reason] += 1
            else:
                listing.paths.append(path)
                digest.update(mark)
    listing.digest = digest.hexdigest()
    return listing


def _enter(root: Path, place: _Place, names: set[str], *, trust: bool) -> _Place:
    """The place with the rules and the licence that its own files add."""
    ignores, refused = place.ignores, place.refused
    if ".gitignore" in names:
        rules = _rules(root / place.path / ".gitignore")
        ignores = (*ignores, (len(place.path), rules))
    if place.path and not trust and not refused and any(map(is_licence_file, names)):
        own = licence_in(root / place.path, names)
        refused = "" if own is None or own.allowed else "a licence of its own"
    return _Place(place.path, ignores, refused)


def _rules(path: Path) -> GitIgnoreSpec:
    try:
        lines = os.fsdecode(read_bounded(path, _IGNORE_BYTES)).splitlines()
    except Unreadable:
        return GitIgnoreSpec([])
    specs: list[GitIgnoreSpec] = []
    for line in lines:
        try:
            specs.append(GitIgnoreSpec.from_lines([line]))
        except (ValueError, re.error):  # git, too, passes over a line that is no pattern
            continue
    return GitIgnoreSpec([pattern for spec in specs for pattern in spec.patterns])


def _is_ignored(path: str, ignores: tuple[tuple[int, GitIgnoreSpec], ...]) -> bool:
    """Whether git would ignore it: the nearest file that has a word on it decides."""
    for start, spec in reversed(ignores):
        ignored = spec.check_file(path[start:]).include
        if ignored is not None:
            return ignored
    return False


def _judge(entry: os.DirEntry[str], path: str) -> tuple[str, bytes]:
    """Why an entry that is no folder is not taken, and what identifies its content."""
    if language_of(entry.name) is None:
        return "no known language", b""
    if entry.is_symlink():
        return "a link", b""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return "unreadable", b""
    if not stat.S_ISREG(found.st_mode):
        return "not a file", b""
    if found.st_size > filters.MAX_BYTES:
        return "too large", b""
    if found.st_size < filters.MIN_BYTES:
        return "too small", b""
    return "", os.fsencode(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\0")
