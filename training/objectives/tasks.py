"""Which of the tasks of a document, if any, a FIM example takes for its middle.

Pure. Tasks come before the kinds of :mod:`training.objectives.middles` and take their shares off
all middles; what they leave, and what a window has no task for, is drawn there as ever. A task's
middle is whole: where it starts is part of the question.
"""

from __future__ import annotations

import bisect
import random
from collections.abc import Callable, Mapping, Sequence

from training.objectives.dual import body_tasks, docstring_tasks
from training.objectives.identifier import declaration_tasks, occurrence_tasks
from training.objectives.middles import MAX_SHARE
from training.objectives.names import Names
from training.objectives.parsed import Parsed
from training.objectives.places import Span
from training.objectives.statement import statement_tasks
from training.objectives.task import Task
from training.recipe import ObjectivesRecipe


def task_shares(recipe: ObjectivesRecipe) -> dict[str, float]:
    """Return the share of FIM middles of every kind that has one."""
    shares = {
        "statement": recipe.statement,
        "body": recipe.body_from_docstring,
        "docstring": recipe.docstring_from_body,
        "occurrence": recipe.identifier,
        "declaration": recipe.declaration,
    }
    return {kind: share for kind, share in shares.items() if share > 0}


def find_tasks(kind: str, parsed: Parsed, names: Callable[[], Names]) -> list[Task]:
    """Return the tasks of one kind in a document, sorted; ``names`` is asked if they need it."""
    found = {
        "statement": lambda: statement_tasks(parsed),
        "body": lambda: body_tasks(parsed),
        "docstring": lambda: docstring_tasks(parsed),
        "occurrence": lambda: occurrence_tasks(names()),
        "declaration": lambda: declaration_tasks(names()),
    }[kind]()
    return sorted(found)


def draw_task(
    window: Span,
    find: Callable[[str], Sequence[Task]],
    shares: Mapping[str, float],
    rng: random.Random,
) -> Task | None:
    """Return a task inside ``window``, or ``None``; without shares ``rng`` is not asked.

    ``find`` returns the tasks of a kind, sorted, and is asked for the kind that was drawn.
    """
    if not shares:
        return None
    point = rng.random()
    longest = MAX_SHARE * (window[1] - window[0])
    for kind, share in shares.items():
        if point < share:
            fitting = [t for t in _inside(find(kind), window) if _size(t) <= longest]
            return fitting[rng.randrange(len(fitting))] if fitting else None
        point -= share
    return None


def _inside(tasks: Sequence[Task], window: Span) -> Sequence[Task]:
    first = bisect.bisect_left(tasks, window[0], key=lambda t: t.needs[0])
    last = bisect.bisect_left(tasks, window[1], key=lambda t: t.needs[0])
    return [t for t in tasks[first:last] if t.needs[1] <= window[1]]


def _size(task: Task) -> int:
    return task.middle[1] - task.middle[0]
