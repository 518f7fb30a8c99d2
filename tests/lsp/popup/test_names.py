"""Which word is at the cursor, and which names it may mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.popup.names import Match, Name, match, matching, word_at


@pytest.mark.parametrize(
    ("head", "tail", "typed", "start", "end", "is_member"),
    [
        ("x = fo", "o(1)", "fo", 4, 7, False),
        ("x.", "", "", 2, 2, True),
        ("x. ap", "", "ap", 3, 5, True),
        ("f(größ", "", "größ", 2, 6, False),
        ("[*a, ...", ")", "", 8, 8, False),
        ("x1.", "", "", 3, 3, True),
        ("f(1).", "", "", 5, 5, True),
    ],
)
def test_the_word_at_the_cursor(head, tail, typed, start, end, is_member):
    word = word_at(head, tail)
    assert word is not None
    assert (word.typed, word.start, word.end, word.is_member) == (typed, start, end, is_member)


@pytest.mark.parametrize("head", ["x = 12", "x = 0xf", "x = 1."])
def test_in_a_number_there_is_none(head):
    assert word_at(head, "") is None


@pytest.mark.parametrize(
    ("typed", "name", "how"),
    [
        ("", "anything", Match.PREFIX),
        ("app", "append", Match.PREFIX),
        ("App", "append", Match.CASE),
        ("gsn", "get_significant_name", Match.FUZZY),
        ("sigName", "getSignificantName", Match.FUZZY),
        ("xml", "parse_xml", Match.FUZZY),
        ("pnd", "append", None),
        ("apx", "append", None),
    ],
)
def test_a_name_may_be_meant_by_its_start_in_any_case_or_by_its_parts(typed, name, how):
    assert match(typed, name) is how


@given(st.text("aBc_1", min_size=1, max_size=8), st.data())
def test_whatever_begins_a_name_means_it(name, data):
    typed = name[: data.draw(st.integers(0, len(name)))]
    assert match(typed, name) is Match.PREFIX
    if typed:
        assert match(typed.swapcase(), name) in (Match.PREFIX, Match.CASE)


def test_a_name_that_is_found_twice_is_offered_once():
    names = [Name(text="a", kind="param"), Name(text="b"), Name(text="a")]
    assert [name.kind for name, _ in matching(names, "a")] == ["param"]
