"""Where an item's file really lies: the folder that is its workspace, and its path in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from completion.errors import UsageError
from eval import held_out
from eval.item import Item

REPOSITORY = "repository"
"""In an item's ``data``: the folder of its package, where the item's path does not begin with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a file lies."""

    root: Path
    """The real workspace folder."""
    path: str
    """In it, with slashes."""

    def checked(self) -> Place:
        """Return it, if there is such a file.

        Raises:
            UsageError: there is not.
        """
        if not (self.root / self.path).is_file():
            raise UsageError(
                f"{self.path} is not in the workspace {self.root.name or self.root}; --workspace "
                "names the folder that the items' paths begin in"
            )
        return self


def place_of(item: Item, workspace: Path | None, data: Path | None) -> Place | None:
    """Return where the file of ``item`` lies; ``None`` where nobody said.

    1. Below ``workspace``, which ``--workspace`` names.
    2. In the tree ``data`` that ``--data`` names; a file of items tells of none.
    3. In its package, where that is a held-out one and was fetched.

    A notebook that was made of a file is where that file is: its cells are the file's own lines.

    Raises:
        UsageError: it is not below ``--workspace``.
    """
    if workspace is not None:
        found = _first_in(workspace, [item.path, _in_repository(item)])
        return found or Place(root=workspace, path=item.path).checked()
    if data is not None and data.is_dir():
        return _first_in(data, [item.path]) or Place(root=data, path=item.path)
    package, _, rest = _in_repository(item).partition("/")
    if package not in {one.folder for one in held_out.packages()}:
        return None
    root = held_out.default_folder() / package
    return (_first_in(root, [rest]) or Place(root=root, path=rest)) if root.is_dir() else None


def _in_repository(item: Item) -> str:
    """Return the item's path behind the folder of its package."""
    repository = item.data.get(REPOSITORY)
    return f"{repository}/{item.path}" if repository else item.path


def _first_in(root: Path, paths: list[str]) -> Place | None:
    """Return the first of ``paths``, or the file that one is a notebook of, that lies in ``root``."""
    for path in paths:
        for name in names(path):
            if (root / name).is_file():
                return Place(root=root, path=name)
    return None


def names(path: str) -> Iterator[str]:
    """Yield a path, and that of the file which a notebook may have been made of."""
    yield path
    if path.endswith(".ipynb"):
        yield PurePosixPath(path).with_suffix(".py").as_posix()
