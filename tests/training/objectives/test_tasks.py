from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.training.tiny import source
from training.objectives.middles import MAX_SHARE
from training.objectives.parsed import Found, names_in
from training.objectives.task import Task
from training.objectives.tasks import draw_task, find_tasks, task_shares
from training.recipe import PLAIN, ObjectivesRecipe

TEXT = source("apple", 8)
KINDS = ("statement", "body", "docstring", "occurrence", "declaration")


PARSED = Found("apple.py", TEXT)


def tasks(kind: str) -> list[Task]:
    return find_tasks(kind, PARSED, lambda: names_in(TEXT, PARSED))


def test_shares_are_those_of_the_recipe() -> None:
    assert task_shares(PLAIN) == {}
    recipe = ObjectivesRecipe(
        statement=0.1, body_from_docstring=0.2, docstring_from_body=0.05, identifier=0.15,
        declaration=0.0,
    )  # fmt: skip
    shares = task_shares(recipe)
    assert shares == {"statement": 0.1, "body": 0.2, "docstring": 0.05, "occurrence": 0.15}
    found = {kind: tasks(kind) for kind in shares}
    rng = random.Random(1)
    drawn = Counter[str]()
    for _ in range(4000):
        task = draw_task((0, len(TEXT)), found.__getitem__, shares, rng)
        drawn[next(k for k in found if task in found[k]) if task else "none"] += 1
    for kind, share in {**shares, "none": 0.5}.items():
        assert drawn[kind] / 4000 == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_task_needs_lies_in_its_window(kind: str) -> None:
    shares = {kind: 1.0}
    found = tasks(kind)
    assert found == sorted(found)
    rng = random.Random(2)
    seen = 0
    for start in range(0, len(TEXT) - 400, 37):
        window = (start, start + 400)
        task = draw_task(window, lambda _: found, shares, rng)
        if task:
            seen += 1
            assert window[0] <= task.needs[0] <= task.middle[0]
            assert task.middle[0] < task.middle[1] <= task.needs[1] <= window[1]
            assert task.middle[1] - task.middle[0] <= MAX_SHARE * 400
    assert seen > 20


def test_window_without_a_task_has_none() -> None:
    shares = {"body": 1.0}
    assert draw_task((0, 30), tasks, shares, random.Random(1)) is None
    assert draw_task((0, 30), lambda _: [], shares, random.Random(1)) is None


def test_without_shares_no_random_number_is_drawn() -> None:
    rng = random.Random(3)
    assert draw_task((0, len(TEXT)), tasks, {}, rng) is None
    assert rng.random() == random.Random(3).random()
