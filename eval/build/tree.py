"""A source tree as evaluation sees it: text files in a fixed order, under one checksum.

The checksum is of relative paths and contents alone. Where the tree lies, in which order a disk
lists it and when it was written do not count.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from completion.errors import UsageError

MAX_BYTES = 1 << 20
"""Of one file. What is larger is data or generated."""

LANGUAGES = {
    ".py": "python",
    ".pyi": "python",
    ".ipynb": "jupyter",
    ".c": "c",
    ".h": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".hpp": "cpp",
    ".cs": "csharp",
    ".go": "go",
    ".java": "java",
    ".js": "javascript",
    ".jsx": "javascriptreact",
    ".kt": "kotlin",
    ".lua": "lua",
    ".php": "php",
    ".rb": "ruby",
    ".rs": "rust",
    ".scala": "scala",
    ".sh": "shellscript",
    ".swift": "swift",
    ".ts": "typescript",
    ".tsx": "typescriptreact",
}
"""Ending of a file's name to LSP language id; a notebook is a file of cells, not of a language."""

NOT_OURS = frozenset(
    (
        *("node_modules", "bower_components", "site-packages", "__pycache__"),
        *("vendor", "vendored", "_vendor", "_vendored", "extern", "externals"),
        *("third_party", "thirdparty"),
    )
)
"""Folders of other people's code and of no code."""


NAMELESS = "name not UTF-8"
"""Why a file is left out that no request could name."""


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One text file: UTF-8 without a zero byte, a byte-order mark left in place."""

    path: str
    """From the tree's root, with ``/``."""
    text: bytes

    @property
    def ending(self) -> str:
        """Of its name, in small letters, with the dot."""
        return os.path.splitext(self.path)[1].lower()  # noqa: PTH122 (no path of this machine)

    @property
    def language(self) -> str:
        """LSP language id."""
        return LANGUAGES.get(self.ending, "")


@dataclass(frozen=True, kw_only=True)
class Tree:
    """The files of a tree, Python first, then by path."""

    name: str
    """Of its folder; no path of this machine."""
    files: tuple[SourceFile, ...]
    skipped: dict[str, int] = field(default_factory=dict[str, int], compare=False)
    """Files of known languages that were left out, by reason."""

    @cached_property
    def sha256(self) -> str:
        """Of paths and contents; files in any order give the same."""
        return checksum((file.path, file.text) for file in self.files)

    @property
    def warnings(self) -> list[str]:
        """What a result has to say of what was left out, beyond what is so by rule."""
        count = self.skipped.get(NAMELESS, 0)
        return [f"{self.name}: left out, {NAMELESS}: {count} files"] if count else []

    @property
    def python(self) -> tuple[SourceFile, ...]:
        """The files that suites of Python cut."""
        return tuple(file for file in self.files if file.ending == ".py")

    @property
    def notebooks(self) -> tuple[SourceFile, ...]:
        """The Jupyter notebooks."""
        return tuple(file for file in self.files if file.ending == ".ipynb")

    def under(self, folder: str) -> Tree:
        """Return a folder of the tree as a tree of its own."""
        start = folder.rstrip("/") + "/"
        inside = (f for f in self.files if f.path.startswith(start))
        files = tuple(SourceFile(path=f.path[len(start) :], text=f.text) for f in inside)
        return Tree(name=folder, files=files)


def checksum(files: Iterable[tuple[str, bytes]]) -> str:
    """Return the SHA-256, in hexadecimal, of paths and contents in any order."""
    total = hashlib.sha256()
    rows = ((path.encode("utf-8", "surrogateescape"), text) for path, text in files)
    for path, text in sorted(rows, key=lambda row: row[0]):
        # A length before the path keeps two neighbours from running into one another.
        total.update(b"%d %s" % (len(path), path) + hashlib.sha256(text).digest())
    return total.hexdigest()


def tree_of(name: str, files: Iterable[SourceFile], skipped: dict[str, int] | None = None) -> Tree:
    """Return a tree of files that are already read, in the tree's order."""
    ordered = sorted(files, key=lambda f: (f.ending != ".py", f.path.encode("utf-8", "replace")))
    return Tree(name=name, files=tuple(ordered), skipped=skipped or {})


def read_tree(root: Path) -> Tree:
    """Read the source files below ``root``, or the one file that it names.

    Left out: what is hidden, folders of other people's code and virtual environments, links (what
    they point to inside the tree is read where it lies, and what is outside does not belong to
    it), and files over :data:`MAX_BYTES`, with a zero byte, or not in UTF-8, be it by name.

    Raises:
        UsageError: there is no such folder, it cannot be read, or it has no source file.
    """
    top = root.resolve()
    found: list[SourceFile] = []
    skipped: dict[str, int] = {}
    try:
        if top.is_file():
            paths: Iterable[tuple[Path, str]] = [(top, top.name)]
        elif top.is_dir():
            paths = _walk(top, "")
        else:
            raise UsageError(f"{root}: no such folder; name a folder of source files")
        for path, inside in paths:
            text, why = _read(path) if _is_utf8(inside) else (None, NAMELESS)
            if text is None:
                skipped[why] = skipped.get(why, 0) + 1
            else:
                found.append(SourceFile(path=inside, text=text))
    except OSError as error:
        raise UsageError(f"{error.filename or root}: {error.strerror or error}") from None
    if not found:
        left_out = ", ".join(f"{count} {why}" for why, count in sorted(skipped.items()))
        why = f" (left out: {left_out})" if left_out else ""
        raise UsageError(f"{root}: no source files of a language known here{why}")
    name = os.fsencode(top.name).decode("utf-8", "replace")
    return tree_of(name, found, skipped)


def _walk(folder: Path, inside: str) -> Iterator[tuple[Path, str]]:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    if inside and any(entry.name == "pyvenv.cfg" for entry in listed):
        return  # a virtual environment
    for entry in listed:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_dir():
            if entry.name.lower() not in NOT_OURS:
                yield from _walk(Path(entry.path), f"{inside}{entry.name}/")
        elif entry.is_file() and os.path.splitext(entry.name)[1].lower() in LANGUAGES:  # noqa: PTH122
            yield Path(entry.path), inside + entry.name


def _is_utf8(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _read(path: Path) -> tuple[bytes | None, str]:
    if path.stat().st_size > MAX_BYTES:
        return None, "over 1 MiB"
    text = path.read_bytes()
    if b"\0" in text:
        return None, "binary"
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return None, "not UTF-8"
    return text, ""
