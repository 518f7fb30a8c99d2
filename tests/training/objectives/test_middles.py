from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.tiny import source
from training.objectives.middles import MAX_SHARE, SHARES, draw_middle, outline

CODE = '''import os
from a import (b,
    c)

class Thing(Base):
    """A thing."""

    def method(self, größe, *, name="é"):
        """Do it."""
        self.größe = größe
        if self.name == name and größe > 1:
            return call(größe, other(name))
        for item in self.items():
            print(item)
        return None
'''


def texts(kind: str) -> set[str]:
    return {CODE[a:b] for a, b in outline("a.py", CODE).spans(kind).tolist()}


def test_each_kind_is_found_where_it_stands() -> None:
    assert texts("import") == {"import os", "from a import (b,\n    c)"}
    assert texts("docstring") == {'"""A thing."""', '"""Do it."""'}
    assert {"größe, other(name)", "name", "item"} <= texts("arguments")
    assert texts("header") == {
        "Thing(Base):",
        'method(self, größe, *, name="é"):',
        "self.name == name and größe > 1",
        "item in self.items()",
    }
    assert {"self.größe", "größe", "name", "self.items"} <= texts("name")
    assert "return call(größe, other(name))" in texts("block")
    (body,) = texts("body")
    assert body.startswith("self.größe = größe")
    assert body.endswith("return None")


def test_shares_are_the_designs() -> None:
    assert sum(SHARES.values()) == pytest.approx(1.0)
    assert SHARES["random"] == 0.30
    assert SHARES["line"] == 0.20


def test_text_that_does_not_parse_still_has_middles() -> None:
    text = "def broken(:\n    still = text\n" * 5
    found = outline("a.py", text)
    for seed in range(50):
        a, b = draw_middle(text, (0, len(text)), found, random.Random(seed))
        assert 0 <= a < b <= len(text)


@given(st.integers(0, 10**6), st.integers(0, 900), st.integers(2, 900))
@settings(max_examples=200)
def test_middle_lies_in_its_window_and_leaves_room(seed: int, start: int, size: int) -> None:
    text = source("apple", 6)
    window = (min(start, len(text) - 2), min(start + size, len(text)))
    if window[1] - window[0] < 2:
        return
    a, b = draw_middle(text, window, outline("a.py", text), random.Random(seed))
    assert window[0] <= a < b <= window[1]
    newline = text.find("\n", a, window[1])
    line_end = window[1] if newline < 0 else newline
    longest = max(1, int(MAX_SHARE * (window[1] - window[0])))
    assert b - a <= longest or b <= line_end


def test_half_of_the_cuts_fall_inside_a_token() -> None:
    """Cuts are at characters: many starts lie between two letters of one word."""
    text, found = source("apple", 20), outline("a.py", source("apple", 20))
    inside = Counter[bool]()
    for seed in range(600):
        a, _ = draw_middle(text, (0, len(text)), found, random.Random(seed))
        inside[a > 0 and text[a - 1].isalnum() and text[a].isalnum()] += 1
    assert 0.25 < inside[True] / 600 < 0.75


def test_most_middles_are_short() -> None:
    text, found = source("apple", 20), outline("a.py", source("apple", 20))
    drawn = [draw_middle(text, (0, len(text)), found, random.Random(s)) for s in range(400)]
    one_line = sum("\n" not in text[a:b] for a, b in drawn)
    assert one_line / 400 > 0.6


def test_carriage_returns_do_not_shift_offsets() -> None:
    text = "import os\r\nx = call(one)\ry = call(two)\n"
    spans = outline("a.py", text).spans("arguments").tolist()
    assert [text[a:b] for a, b in spans] == ["one", "two"]
