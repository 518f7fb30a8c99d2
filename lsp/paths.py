"""Where a document lies: its file, its workspace folder, its path in it. Pure.

A cell lies where its notebook does, whatever scheme its editor gives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from urllib.parse import unquote

from pygls.uris import to_fs_path

_CELL_SCHEMES = ("vscode-notebook-cell:", "vscode-notebook-cell-output:")


def file_path(uri: str) -> str | None:
    """Return the file system path that ``uri`` names; None: it is no file of this machine."""
    uri = uri.partition("#")[0].partition("?")[0]
    for scheme in _CELL_SCHEMES:
        if uri.startswith(scheme):
            rest = uri.removeprefix(scheme)
            # an authority is another machine, as an editor sees it: here it is this one
            slashes = rest.partition("/")[2].find("/", 1) + 1 if rest.startswith("//") else 0
            rest = rest[slashes:] if slashes else rest
            if not rest.startswith("/"):
                return None  # it has never been saved
            uri = "file://" + rest
    return to_fs_path(uri)


def root_of(path: str, roots: Sequence[str]) -> str:
    """Return the innermost of ``roots`` that ``path`` is in, or nothing."""
    inside = [root for root in roots if PurePath(path).is_relative_to(root)]
    return max(inside, key=len, default="")


def locate(uri: str, roots: Sequence[str]) -> tuple[str, str]:
    """Return a document's path relative to its workspace folder, and that folder's name.

    Outside of every folder it is the name alone: an absolute path is nobody else's business.
    """
    path = file_path(uri)
    if path is None:
        name = uri.partition("#")[0].partition("?")[0].rpartition("/")[2]
        return unquote(name.rpartition(":")[2]), ""
    root = root_of(path, roots)
    if not root:
        return PurePath(path).name, ""
    return PurePath(path).relative_to(root).as_posix(), PurePath(root).name
