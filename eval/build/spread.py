"""An order in which every head is spread: over the top folders, their files, and places in them.

A hash decides and nothing else does: no random state, and what one file holds does not move what
is taken from another.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing")


def draw(*parts: object) -> int:
    """Return a number below 2**64 that depends on ``parts`` as text, and on nothing else."""
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def spread(
    things: Iterable[Thing],
    groups: tuple[Callable[[Thing], Hashable], ...],
    order: Callable[[Thing], object],
) -> list[Thing]:
    """Return ``things`` so that every head takes as evenly as it can from each group.

    ``groups`` go from the outermost in: of folders, each in turn; of a folder's turns, its files
    each in turn; ``order`` (a hash, mostly) decides inside the innermost and between equals.
    """
    listed = list(things)
    if not groups:
        return sorted(listed, key=order)  # pyright: ignore[reportArgumentType, reportCallIssue]
    found: defaultdict[Hashable, list[Thing]] = defaultdict(list)
    for thing in listed:
        found[groups[0](thing)].append(thing)
    queues = [spread(members, groups[1:], order) for members in found.values()]
    turns = [(turn, thing) for queue in queues for turn, thing in enumerate(queue)]
    turns.sort(key=lambda pair: (pair[0], order(pair[1])))  # pyright: ignore[reportArgumentType]
    return [thing for _, thing in turns]


def top_folder(path: str) -> str:
    """Return the first folder of ``path``: in the held-out tree, the package."""
    return path.split("/", 1)[0] if "/" in path else ""
