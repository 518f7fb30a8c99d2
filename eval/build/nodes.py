"""Whole nodes of a tree as middles, as many of each kind: which of them a model gets wrong.

What the kinds are stands in :mod:`completion.syntax.node_places`. They are training's, so that the failure
rates by kind can be made into the mixture of a run (``caret train --curriculum-from``). In every
item prefix + reference + suffix are the file.
"""

from __future__ import annotations

from completion.syntax.node_places import Place
from eval.build.node_places import KINDS, places
from eval.build.spread import draw, spread, top_folder
from eval.build.tree import SourceFile, Tree
from eval.item import Item

VERSION = "2"  # 2: elif has a header and a block


def build(tree: Tree, limit: int, seed: int) -> tuple[list[Item], list[str]]:
    """Return at most ``limit`` items of a tree, the kinds in turn, spread over folders and files.

    Also returns warnings: of files that could not be read, and of kinds that the tree has too few
    of.
    """
    found: dict[str, list[tuple[SourceFile, Place]]] = {kind: [] for kind in KINDS}
    unread = 0
    for file in tree.python:
        of_file = places(file.path, file.text, seed)
        if of_file is None:
            unread += 1
            continue
        for kind, spans in of_file.items():
            found[kind] += [(file, span) for span in spans]
    queues = {kind: _ordered(kind, listed, seed) for kind, listed in found.items()}
    turns = max(map(len, queues.values()))
    items = [
        _item(kind, *queue[turn])
        for turn in range(min(turns, limit))
        for kind, queue in queues.items()
        if turn < len(queue)
    ][:limit]
    warnings = [f"left out as no Python that can be read: {unread} of the files"] if unread else []
    wanted = limit // len(KINDS)
    few = [f"{len(queue)} {kind}" for kind, queue in queues.items() if len(queue) < wanted]
    if few:
        warnings.append(
            f"{tree.name} has fewer than {wanted} items of some kinds: {', '.join(few)}"
        )
    return items, warnings


def _ordered(
    kind: str, listed: list[tuple[SourceFile, Place]], seed: int
) -> list[tuple[SourceFile, Place]]:
    return spread(
        listed,
        (lambda pair: top_folder(pair[0].path), lambda pair: pair[0].path),
        lambda pair: draw(seed, kind, pair[0].path, *pair[1]),
    )


def _item(kind: str, file: SourceFile, place: Place) -> Item:
    (start, end), text = place, file.text
    return Item(
        id=f"{file.path}:{start}-{end}:{kind}",
        prefix=text[:start],
        suffix=text[end:],
        reference=text[start:end],
        path=file.path,
        eol="\r\n" if b"\r\n" in text else "\n",
        kind=kind,
    )
