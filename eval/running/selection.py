"""Which items of a suite a run with a limit takes: always the same ones for a limit and a seed.

Pure. The items of a smaller limit are among those of a larger one, so that a quick look and a long
run speak of the same places.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from eval.item import Item


def select(items: Sequence[Item], limit: int, seed: int) -> list[Item]:
    """Return ``limit`` of ``items`` in the data's order; all of them when ``limit`` is 0.

    They are drawn by the SHA-256 of seed and id, so neither their order in the file nor how many
    there are decides; where items have kinds, one of each kind is drawn in turn.
    """
    if limit <= 0 or limit >= len(items):
        return list(items)
    queues: dict[str, list[str]] = {}
    for item in sorted(items, key=lambda item: _rank(item.id, seed)):
        queues.setdefault(item.kind, []).append(item.id)
    turns = [queues[kind] for kind in sorted(queues)]
    chosen: set[str] = set()
    for place in range(max(map(len, turns))):
        for queue in turns:
            if place < len(queue) and len(chosen) < limit:
                chosen.add(queue[place])
    return [item for item in items if item.id in chosen]


def _rank(identity: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{identity}".encode("utf-8", "surrogateescape")).digest()
