"""Which of the tasks of a document, if any, a FIM example takes for its middle.

Pure. Tasks come before the kinds of :mod:`training.objectives.middles` and take their shares off
all middles; what they leave, and what a window has no task for, is drawn there as ever. A task's
middle is whole: where it starts is part of the question.
"""

from __future__ import annotations

import ast
import bisect
import random

from training.objectives.dual import body_tasks, docstring_tasks
from training.objectives.identifier import declaration_tasks, occurrence_tasks
from training.objectives.middles import MAX_SHARE
from training.objectives.names import Names
from training.objectives.places import Places, Span
from training.objectives.statement import statement_tasks
from training.objectives.task import Task
from training.recipe import ObjectivesRecipe

Tasks = dict[str, list[Task]]
"""By kind, in order."""


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


def find_tasks(places: Places, tree: ast.Module, names: Names, shares: dict[str, float]) -> Tasks:
    """Return the tasks of every kind that has a share."""
    find = {
        "statement": lambda: statement_tasks(places, tree),
        "body": lambda: body_tasks(places, tree),
        "docstring": lambda: docstring_tasks(places, tree),
        "occurrence": lambda: occurrence_tasks(names),
        "declaration": lambda: declaration_tasks(names),
    }
    return {kind: sorted(find[kind]()) for kind in shares}


def draw_task(
    window: Span, tasks: Tasks, shares: dict[str, float], rng: random.Random
) -> Task | None:
    """Return a task inside ``window``, or ``None``; without shares ``rng`` is not asked."""
    if not shares:
        return None
    point = rng.random()
    longest = MAX_SHARE * (window[1] - window[0])
    for kind, share in shares.items():
        if point < share:
            fitting = [t for t in _inside(tasks.get(kind, []), window) if _size(t) <= longest]
            return fitting[rng.randrange(len(fitting))] if fitting else None
        point -= share
    return None


def _inside(tasks: list[Task], window: Span) -> list[Task]:
    first = bisect.bisect_left(tasks, window[0], key=lambda t: t.needs[0])
    last = bisect.bisect_left(tasks, window[1], key=lambda t: t.needs[0])
    return [t for t in tasks[first:last] if t.needs[1] <= window[1]]


def _size(task: Task) -> int:
    return task.middle[1] - task.middle[0]
