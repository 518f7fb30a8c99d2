from __future__ import annotations

import ast

import pytest

from training.objectives.names import Name, names_of
from training.objectives.places import Places, parse_module

CODE = """import os.path as way
from collections import Counter, deque as queue, namedtuple

LIMIT = 3

class Größe(Base):
    unit = "m"

    @staticmethod
    def grow(self, by: int, *rest, **more):
        total = by + LIMIT
        try:
            helper(total, key=by)
        except ValueError as error:
            self.note = way.join(error)
        return lambda value: value + total

async def helper(total, key):
    for item in queue(namedtuple("a", "b")):
        print(item)
    return Größe.grow(Counter())
"""


def read(text: str) -> list[Name]:
    tree = parse_module(text)
    assert tree
    found = names_of(Places(text), tree).found
    assert all(text[n.start : n.end] == n.text for n in found)
    assert [n.start for n in found] == sorted({n.start for n in found})
    return found


def kinds(text: str, line: int) -> list[tuple[str, str]]:
    """Names and kinds on a line, counted from 1."""
    start = sum(len(part) for part in text.splitlines(keepends=True)[: line - 1])
    end = start + len(text.splitlines()[line - 1])
    return [(n.text, n.kind) for n in read(text) if start <= n.start < end]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (1, "os:MODULE path:MODULE way:MODULE"),
        (2, "collections:MODULE Counter:CLASS deque:FUNCTION queue:FUNCTION namedtuple:FUNCTION"),
        (4, "LIMIT:VARIABLE"),
        (6, "Größe:CLASS Base:CLASS"),
        (7, "unit:VARIABLE"),
        (9, "staticmethod:CLASS"),
        (10, "grow:FUNCTION self:PARAMETER by:PARAMETER int:CLASS rest:PARAMETER more:PARAMETER"),
        (11, "total:VARIABLE by:PARAMETER LIMIT:VARIABLE"),
        (13, "helper:FUNCTION total:VARIABLE key:PARAMETER by:PARAMETER"),
        (14, "ValueError:CLASS error:VARIABLE"),
        (15, "self:PARAMETER note:ATTRIBUTE way:MODULE join:ATTRIBUTE error:VARIABLE"),
        (16, "value:PARAMETER value:PARAMETER total:VARIABLE"),
        (18, "helper:FUNCTION total:PARAMETER key:PARAMETER"),
        (19, "item:VARIABLE queue:FUNCTION namedtuple:FUNCTION"),
        (20, "print:FUNCTION item:VARIABLE"),
        (21, "Größe:CLASS grow:ATTRIBUTE Counter:CLASS"),
    ],
)
def test_every_name_of_a_line_has_its_kind(line: int, expected: str) -> None:
    assert kinds(CODE, line) == [tuple(pair.split(":")) for pair in expected.split()]


def test_scopes_are_the_functions_around() -> None:
    found = read(CODE)
    total = [n.scope for n in found if n.text == "total" and n.binds]
    names = names_of(Places(CODE), ast.parse(CODE))
    inside = [CODE[slice(*names.scopes[scope])] for scope in total]
    assert [text.split("(")[0] for text in inside] == ["def grow", "async def helper"]
    unit = next(n for n in found if n.text == "unit")
    assert unit.scope == -1


def test_places_in_f_strings_are_right_or_left_out() -> None:
    found = read("größe = 1\ntext = f'ab {größe:>{width}} c'\n")
    assert {n.text for n in found} <= {"größe", "text", "width"}
