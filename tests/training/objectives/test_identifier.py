from __future__ import annotations

import ast

from training.objectives.identifier import declaration_tasks, occurrence_tasks
from training.objectives.names import Names, names_of
from training.objectives.places import Places
from training.objectives.task import Task

CODE = """def first(values, once):
    total = 0
    for v in values:
        total += self.total(v)
    return total

def second(values):
    print(values.count, total)

result = first(second, once=2)
"""


def found() -> Names:
    return names_of(Places(CODE), ast.parse(CODE))


def spelled(tasks: list[Task]) -> list[tuple[int, str]]:
    """Line and text of each middle."""
    return sorted((CODE.count("\n", 0, t.middle[0]) + 1, CODE[slice(*t.middle)]) for t in tasks)


def test_occurrence_is_of_a_name_that_occurs_again() -> None:
    tasks = occurrence_tasks(found())
    assert spelled(tasks) == [
        (1, "first"), (1, "once"), (1, "values"), (2, "total"), (3, "values"), (4, "total"),
        (4, "total"), (5, "total"), (7, "second"), (7, "values"), (8, "total"), (8, "values"),
        (10, "first"), (10, "once"), (10, "second"),
    ]  # fmt: skip


def test_nearest_other_occurrence_is_in_sight() -> None:
    for task in occurrence_tasks(found()):
        word, seen = CODE[slice(*task.middle)], CODE[slice(*task.needs)]
        assert seen.startswith(word) and seen.endswith(word)
        assert seen.count(word) == 2
        assert task.needs[0] == task.middle[0] or task.needs[1] == task.middle[1]


def test_declaration_is_asked_with_every_use_in_its_function() -> None:
    tasks = sorted(declaration_tasks(found()))
    seen = {(n, w): CODE[slice(*t.needs)] for t, (n, w) in zip(tasks, spelled(tasks), strict=True)}
    assert set(seen) == {(1, "first"), (1, "values"), (2, "total"), (7, "second"), (7, "values")}
    assert seen[1, "values"].endswith("for v in values")
    assert seen[2, "total"].startswith("total = 0")
    assert seen[2, "total"].endswith("return total")
    assert seen[1, "first"].endswith("result = first")
    assert seen[7, "values"] == "values):\n    print(values"


def test_declaration_may_stand_behind_its_uses() -> None:
    code = "def early():\n    return late()\n\ndef late():\n    return [item for item in early()]\n"
    tasks = declaration_tasks(names_of(Places(code), ast.parse(code)))
    asked = {code[slice(*t.middle)]: code[slice(*t.needs)] for t in tasks}
    assert asked["late"] == "late()\n\ndef late"
    assert asked["item"] == "item for item"
    assert set(asked) == {"early", "late", "item"}


def test_names_bound_in_a_class_are_attributes_and_not_declared() -> None:
    code = "class Thing:\n    unit = 1\n    def unit_of(self):\n        return unit, self.unit\n"
    tasks = declaration_tasks(names_of(Places(code), ast.parse(code)))
    assert {code[slice(*t.middle)] for t in tasks} == {"self"}
