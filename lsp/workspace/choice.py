"""Which files of a workspace folder are sent where not all can be: near ones, then the newest."""

from __future__ import annotations

import heapq
import os
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from lsp.context.ignore import Rules
from lsp.context.index import walk
from lsp.context.index.pace import Pace
from lsp.context.index.walk import Seen

MOST_FILES = 10_000
"""Most files that are sent of one folder, however small they are."""
CPU_SHARE = 0.25
"""How much of a core going through the folder takes, on average."""
EVERY = 64
"""Entries between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The files of a folder that are to be sent."""

    files: dict[str, Seen]
    """By path, the most wanted first."""
    is_cut: bool
    """Whether there were more."""


def look(rules: Rules, path: str, limit: int) -> Seen | None:
    """Return one file as a pass would see it; None: it is not to be sent."""
    seen = walk.look(rules, path)
    return seen if seen is not None and _is_wanted(seen, limit) else None


def choose(
    rules: Rules,
    *,
    near: Collection[str],
    limit: int,
    max_bytes: int,
    max_files: int = MOST_FILES,
    is_over: Callable[[], bool] = lambda: False,
) -> Choice | None:
    """Return the files to send. Goes through the whole folder.

    Args:
        rules: of the folder.
        near: folders, as "a/b" or "", whose files come first: those with open documents.
        limit: most bytes of one file.
        max_bytes: of all of them, as large as they are on disk.
        max_files: of all of them.
        is_over: whether to stop; then the answer is None.

    Raises:
        Unreachable: the folder cannot be read.
    """
    chosen: list[tuple[bool, int, str, Seen]] = []  # a heap: what is wanted least comes out first
    total, is_cut = 0, False
    pace = Pace(CPU_SHARE)
    for number, seen in enumerate(walk.walk(rules)):
        if number % EVERY == 0:
            if is_over():
                return None
            if (rest := pace.rest()) > 0.005:
                time.sleep(rest)
        if not _is_wanted(seen, limit):
            continue
        assert seen.stamp is not None
        is_near = seen.path.rpartition("/")[0] in near
        heapq.heappush(chosen, (is_near, seen.stamp.mtime_ns, seen.path, seen))
        total += seen.stamp.size
        while total > max_bytes or len(chosen) > max_files:
            is_cut = True
            gone = heapq.heappop(chosen)[3]
            total -= gone.stamp.size if gone.stamp is not None else 0
    files = {one[2]: one[3] for one in sorted(chosen, key=lambda one: one[:3], reverse=True)}
    return Choice(files, is_cut=is_cut)


def is_folder(rules: Rules, path: str) -> bool:
    """Tell whether ``path`` is a folder; its files may have come with it."""
    return os.path.isdir(rules.root / path)  # noqa: PTH112 - no error for a name that cannot be


def refused(rules: Rules, paths: Iterable[str], limit: int) -> list[str]:
    """Return those of ``paths`` that are not to be sent any more."""
    return [path for path in paths if look(rules, path, limit) is None]


def _is_wanted(seen: Seen, limit: int) -> bool:
    if not seen.path or seen.stamp is None or not 0 < seen.stamp.size <= limit:
        return False
    try:
        seen.path.encode()
    except UnicodeEncodeError:  # a name that is no UTF-8 cannot be in a message
        return False
    return True
