"""Functions of a tree that are typed key by key: one of each Python file that has one.

Which function of a file it is stands in :mod:`eval.replay.regions`. In every item prefix +
reference + suffix are the file.
"""

from __future__ import annotations

from completion.errors import UsageError
from eval.build.spread import draw, spread, top_folder
from eval.build.tree import SourceFile, Tree
from eval.item import Item
from eval.replay.regions import LEAST, MOST, region_of

VERSION = "1"


def build(tree: Tree, limit: int, seed: int) -> tuple[list[Item], list[str]]:
    """Return at most ``limit`` items of a tree in its order, spread over folders; 0: all.

    Raises:
        UsageError: no file has a function to type.
    """
    found = [item for file in tree.python if (item := _item(file)) is not None]
    if not found:
        raise UsageError(f"{tree.name}: no Python function of {LEAST} to {MOST} characters to type")
    if not limit:
        return found, []
    ranked = spread(
        found, (lambda item: top_folder(item.path),), lambda item: draw(seed, item.path)
    )
    taken = {item.path for item in ranked[:limit]}
    return [item for item in found if item.path in taken], []


def _item(file: SourceFile) -> Item | None:
    path, text = file.path, file.text
    place = region_of(path, text)
    if place is None:
        return None
    start, end = place
    line = text.count(b"\n", 0, start) + 1
    return Item(
        id=f"{path}:{line}",
        prefix=text[:start],
        suffix=text[end:],
        reference=text[start:end],
        path=path,
        eol="\r\n" if b"\r\n" in text[start:end] else "\n",
    )
