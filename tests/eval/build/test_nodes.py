from __future__ import annotations

import random
from collections import Counter

import pytest

from eval.build import nodes
from eval.build.node_places import KINDS, LONGEST, places
from eval.build.tree import SourceFile, Tree, tree_of
from tests.eval.build.nasty import FILES
from training.objectives.middles import SHARES, outline

MANY = 10_000
CODE = '''import os
from a import (b,
    c)

class Thing(Base, kind=Meta):
    """A thing."""
    unit = 1

    @decorated
    async def method(self, other: int, *, name=default):
        """Do it."""
        self.größe.total = other
        if self.name == name and other > 1:
            return call(other, key=other(name))
        else:
            pass
        for item, _ in self.items():
            print(item)
        try:
            global total
        except ValueError as error:
            "a bare constant"
'''


def tree_from(files: dict[str, bytes]) -> Tree:
    return tree_of("tree", [SourceFile(path=path, text=text) for path, text in files.items()])


def texts(kind: str, code: str = CODE) -> list[str]:
    raw = code.encode()
    found = places("a.py", raw, 0)
    assert found is not None
    return [raw[a:b].decode() for a, b in found[kind]]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("import", ["import os", "from a import (b,\n    c)"]),
        ("arguments", ["other, key=other(name)", "name", "item"]),
        ("docstring", ['"""A thing."""', '"""Do it."""']),
        ("block", ["return call(other, key=other(name))", "print(item)", "global total"]),
        ("header", [
            "Thing(Base, kind=Meta):", "method(self, other: int, *, name=default):",
            "self.name == name and other > 1", "item, _ in self.items()",
        ]),
        ("statement", [
            "import os", "from a import (b,\n    c)", "unit = 1", "self.größe.total = other",
            "return call(other, key=other(name))", "pass", "print(item)", "global total",
        ]),
        ("name", [
            "Base", "Meta", "unit", "decorated", "int", "default", "self", "self.größe",
            "self.größe.total", "other", "self", "self.name", "name", "other", "call", "other",
            "other", "name", "item", "_", "self", "self.items", "print", "item", "ValueError",
            "error",
        ]),
    ],
)  # fmt: skip
def test_each_kind_is_found_where_it_stands(kind: str, expected: list[str]) -> None:
    assert texts(kind) == expected


def test_a_body_is_what_stands_behind_the_docstring_and_no_longer_than_allowed() -> None:
    code = 'def f(x):\n    """Do it."""\n    y = x  # c\n    return y\n'
    assert texts("body", code) == ["y = x  # c\n    return y"]
    long = "def f(x):\n" + "    x = call(x, x, x)\n" * 30
    assert texts("body", long) == []
    assert len(texts("statement", long)) == 30


def test_a_line_goes_on_to_its_end_from_a_character_in_its_text() -> None:
    raw = CODE.encode()
    lines = places("a.py", raw, 0)
    assert lines is not None
    for a, b in lines["line"]:
        begin = raw.rfind(b"\n", 0, a) + 1
        assert raw[begin:].split(b"\n", 1)[0].rstrip() == raw[begin:b]
        assert raw[begin : a + 1].strip()
        raw[a:b].decode()
    assert len(lines["line"]) == sum(bool(row.strip()) for row in raw.split(b"\n"))


def test_kinds_are_those_that_training_draws_from() -> None:
    """One table of names, or a result would say nothing to ``caret train --curriculum-from``."""
    assert set(KINDS) == set(SHARES) - {"random"} | {"statement"}


@pytest.mark.parametrize("kind", ["import", "docstring", "arguments"])
def test_places_are_training_s_own_where_both_mean_whole_nodes(kind: str) -> None:
    theirs = {CODE[a:b] for a, b in outline("a.py", CODE).spans(kind).tolist()}
    assert set(texts(kind)) == theirs


def test_an_item_is_the_file() -> None:
    items, warnings = nodes.build(tree_from(FILES), MANY, 0)
    assert {item.kind for item in items} == set(KINDS)
    assert len({item.id for item in items}) == len(items)
    for item in items:
        assert item.prefix + item.reference + item.suffix == FILES[item.path]
        assert 0 < len(item.reference) <= LONGEST
        assert item.reference.strip()
    assert warnings[0] == "left out as no Python that can be read: 1 of the files"


def test_kinds_come_in_turn_and_a_smaller_limit_is_the_beginning_of_a_larger() -> None:
    body = FILES["plain.py"]
    tree = tree_from({f"p{n}/a.py": body.replace(b"Shelf", b"Shelf%d" % n) for n in range(8)})
    items, warnings = nodes.build(tree, 36, 0)
    assert Counter(item.kind for item in items) == dict.fromkeys(KINDS, 4)
    assert warnings == []
    for kind in KINDS:
        assert len({item.path for item in items if item.kind == kind}) == 4
    assert nodes.build(tree, 18, 0)[0] == items[:18]


def test_too_few_of_a_kind_are_a_warning() -> None:
    items, warnings = nodes.build(tree_from({"a.py": b"x = 1\n" * 9}), 27, 0)
    assert Counter(item.kind for item in items) == {"line": 9, "name": 9, "statement": 9}
    assert len(warnings) == 1
    assert "fewer than 3 items of some kinds: 0 arguments, 0 body, 0 header" in warnings[0]


def test_files_in_any_order_give_the_same_items_and_a_seed_gives_others() -> None:
    rows = list(FILES.items())
    first = nodes.build(tree_from(dict(rows)), 30, 0)
    random.Random(1).shuffle(rows)
    assert nodes.build(tree_from(dict(rows)), 30, 0) == first
    assert nodes.build(tree_from(dict(rows)), 30, 1)[0] != first[0]
