"""Masked identifiers: one occurrence, or the declaration with all its uses in sight.

CodeT5 (arXiv 2109.00859, section 3.2) masks every occurrence of a name by one sentinel. A FIM
middle can leave out one place: an occurrence that another one tells, or the declaration, which
only its uses tell.
"""

from __future__ import annotations

import bisect

from training.objectives.names import NO_SCOPE, Name, Names, by_text
from training.objectives.task import Task

SHORTEST = 2
"""Characters of the shortest name that is asked for: shorter ones tell nothing."""


def occurrence_tasks(names: Names) -> list[Task]:
    """Return every occurrence of a name that occurs again, with the nearest other one."""
    out: list[Task] = []
    for text, found in by_text(names).items():
        if len(text) < SHORTEST:
            continue
        for i, name in enumerate(found):
            others = [*found[max(0, i - 1) : i], *found[i + 1 : i + 2]]
            if others:
                near = min(others, key=lambda n: abs(n.start - name.start))
                out.append(_task(name, [name, near]))
    return out


def declaration_tasks(names: Names) -> list[Task]:
    """Return the first binding of every name that is used, with all its uses, before it or behind.

    Uses are the bare occurrences inside the function that binds the name, or in the module.
    """
    out: list[Task] = []
    for text, found in by_text(names).items():
        bare = [n for n in found if n.bare]
        starts = [n.start for n in bare]
        seen: set[int] = set()
        for name in bare:
            if not name.binds or name.scope == NO_SCOPE or name.scope in seen:
                continue
            seen.add(name.scope)
            a, b = names.scopes[name.scope]
            within = bare[bisect.bisect_left(starts, a) : bisect.bisect_left(starts, b)]
            if len(within) > 1 and len(text) >= SHORTEST:
                out.append(_task(name, within))
    return out


def _task(name: Name, seen: list[Name]) -> Task:
    needs = min(n.start for n in seen), max(n.end for n in seen)
    return Task(needs=needs, middle=(name.start, name.end))
