"""Which files of a workspace folder may be read and sent: by place, name, kind and size.

``.gitignore`` at every level and ``.git/info/exclude`` mean what they mean to git; ``.caretignore``
has the same syntax and only takes away. Rules that lie outside of the folder (a parent's, the
user's own git settings) are not read, because nothing outside of it is. What a file holds is not
looked at here: :mod:`lsp.context.reading` does that.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

from completion import globs
from completion.config import ContextConfig
from lsp.context.patterns import Patterns, patterns_in
from lsp.context.secrets import secret_name

FRESH_S = 1.0
"""How long ignore files are taken to be as they were when last looked at, in seconds."""

NEVER = frozenset({".git", ".hg", ".svn", ".jj"})
"""Names of folders that hold no text of the user's."""

GIT_FILES = (".git/info/exclude", ".gitignore")
"""What git reads in a folder; what comes later counts more."""
OWN_FILE = ".caretignore"
IGNORE_FILES = frozenset({".gitignore", OWN_FILE, "exclude"})
"""Names of files whose change may let others in or out."""

Stamp = tuple[int, int, int]


class Rules:
    """The rules of one workspace folder; safe to ask from several threads."""

    def __init__(self, root: Path, config: ContextConfig) -> None:
        self.root = Path(os.path.abspath(root))
        self._real_root = os.path.realpath(self.root)
        self._globs = config.excluded_globs
        self.max_bytes = config.max_file_bytes
        self._folders: dict[str, _Folder] = {}

    @classmethod
    def of(cls, root: Path, config: ContextConfig) -> Rules:
        """Return the rules of the workspace folder ``root``; its ignore files are read when asked."""
        return cls(root, config)

    def allows(self, path: Path, size: int | None = None) -> str:
        """Return why nothing of ``path`` may be read or sent, or an empty text.

        Args:
            path: absolute, or relative to the root; there need not be such a file.
            size: in bytes, where it is known; else the file's own.
        """
        place = self._inside(path)
        if place is None:
            return "outside"
        if reason := self.refuses_name(place):
            return reason
        return self._refuses_file(place, size)

    def refuses_name(self, place: str) -> str:
        """Return what the name alone says against a file: ``place`` is relative, with slashes."""
        folder = ""
        parts = place.split("/")
        for part in parts[:-1]:
            if reason := self.refuses_folder(folder, part):
                return reason
            folder = f"{folder}{part}/"
        return self.refuses_entry(folder, parts[-1])

    def refuses_folder(self, folder: str, name: str) -> str:
        """Return why all below a folder is left out; ``folder`` is its parent, as "a/b/" or ""."""
        if name in NEVER:
            return "ignored"
        return self._refused(folder, name, is_folder=True)

    def refuses_entry(self, folder: str, name: str) -> str:
        """Return why the file ``name`` in ``folder`` is left out; all folders above are allowed."""
        if name in NEVER:  # a worktree's file that says where its repository is
            return "ignored"
        if secret_name(name):
            return "secret"
        return self._refused(folder, name, is_folder=False)

    def forget(self) -> None:
        """Look at every ignore file again when next asked."""
        self._folders = {}

    def _refused(self, folder: str, name: str, *, is_folder: bool) -> str:
        place = f"{folder}{name}/" if is_folder else folder + name
        if self._globs and globs.matches(self._globs, place):
            return "glob"
        by_git = by_own = None
        at = folder
        while True:  # the nearest folder that has a word on it decides
            known = self._folder(at)
            rest = place[len(at) :]
            if by_git is None:
                by_git = known.git.verdict(rest)
            if by_own is None:
                by_own = known.own.verdict(rest)
            if not at:
                return "ignored" if by_git or by_own else ""
            at = at[: at.rfind("/", 0, -1) + 1]

    def _folder(self, folder: str) -> _Folder:
        known = self._folders.get(folder)
        now = time.monotonic()
        if known is not None and now - known.looked < FRESH_S:
            return known
        base = self.root / folder
        stamps = tuple(_stamp(base / name) for name in (*GIT_FILES, OWN_FILE))
        if known is None or known.stamps != stamps:
            git = Patterns.joined(patterns_in(base / name) for name in GIT_FILES)
            known = _Folder(git, patterns_in(base / OWN_FILE), stamps)
            self._folders[folder] = known
        known.looked = now
        return known

    def _inside(self, path: Path) -> str | None:
        """Return ``path`` relative to the root, or None where it is not below it."""
        full = os.path.abspath(os.path.join(self.root, path))
        for root in (str(self.root), self._real_root):
            base = root if root.endswith(os.sep) else root + os.sep
            if full.startswith(base):
                return full[len(base) :].replace(os.sep, "/")
        return None

    def _refuses_file(self, place: str, size: int | None) -> str:
        full = os.path.join(self.root, place)
        try:
            real = os.path.realpath(full, strict=True)
            found = os.stat(real)
        except FileNotFoundError:
            if os.path.islink(full):
                return "kind"  # where a link leads nowhere yet, nobody knows what will be there
            found, real = None, os.path.realpath(full)
        except (OSError, ValueError):  # a loop of links, a folder that may not be entered
            return "kind"
        base = self._real_root.rstrip(os.sep) + os.sep
        if not real.startswith(base):
            return "outside"
        target = real[len(base) :].replace(os.sep, "/")
        if target != place and (reason := self.refuses_name(target)):
            return reason
        if found is not None and not stat.S_ISREG(found.st_mode):
            return "kind"
        if size is None:
            size = found.st_size if found is not None else 0
        return "size" if size > self.max_bytes else ""


class _Folder:
    """What one folder's own files say; the stamps tell whether they still say it."""

    __slots__ = ("git", "looked", "own", "stamps")

    def __init__(self, git: Patterns, own: Patterns, stamps: tuple[Stamp, ...]) -> None:
        self.git, self.own, self.stamps = git, own, stamps
        self.looked = 0.0


def _stamp(path: Path) -> Stamp:
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
