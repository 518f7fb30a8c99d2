"""What can be built from a tree, by suite; and the one way in which such a suite loads.

A tree and a file built from it give the same items. From a tree as many are made as the suite has
by default: these are spread, and comparable with anybody's; a file can hold more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from completion.errors import UsageError
from eval import held_out
from eval.build import cardinal, functions, nodes, slices
from eval.build.built import Built, read_built
from eval.build.tree import Tree
from eval.item import Item
from eval.suites.base import Loaded


@dataclass(frozen=True, kw_only=True, slots=True)
class Builder:
    """How the items of one suite are made."""

    suite: str
    version: str
    items: int
    """By default; 0: all that there are."""
    make: Callable[[Tree, int, int], tuple[list[Item], list[str]]]
    """From a tree, a limit and a seed; items and warnings."""


BUILDERS = {
    builder.suite: builder
    for builder in (
        Builder(suite="cardinal", version=cardinal.VERSION, items=1000, make=cardinal.build),
        Builder(suite="slices", version=slices.VERSION, items=1000, make=slices.build),
        Builder(suite="nodes", version=nodes.VERSION, items=1800, make=nodes.build),
        Builder(suite="replay", version=functions.VERSION, items=0, make=functions.build),
    )
}


def build(suite: str, tree: Tree, *, limit: int = 0, seed: int = 0) -> Built:
    """Make the items of ``suite`` from ``tree``; ``limit`` 0: as many as by default.

    Raises:
        UsageError: the tree has no place for any.
    """
    builder = BUILDERS[suite]
    items, warnings = builder.make(tree, limit or builder.items, seed)
    if not items:
        raise UsageError(f"{tree.name}: no Python in it that {suite} items could be made of")
    return Built(
        suite=suite,
        version=builder.version,
        tree=tree.name,
        tree_sha256=tree.sha256,
        tree_files=len(tree.files),
        seed=seed,
        items=items,
        warnings=[*tree.warnings, *warnings],
    )


def load(suite: str, data: Path | None) -> Loaded:
    """Return the items of ``suite`` from a tree, a built file, or the fetched held-out packages.

    Raises:
        UsageError: the data is missing (and how to get it), cut off, or another suite's.
    """
    if data is not None and Path(data).suffix == ".jsonl":
        built = read_built(Path(data), suite, BUILDERS[suite].version)
    else:
        built = build(suite, held_out.tree(data))
    return Loaded(items=built.items, data=built.data, warnings=built.warnings)
