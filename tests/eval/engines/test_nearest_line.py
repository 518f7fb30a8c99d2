"""The baseline that copies what followed the most similar line."""

import pytest
from hypothesis import given, settings

from eval.engines.nearest_line import NearestLine
from eval.item import Ask
from tests.eval.engines.hostile import ASKS, HOSTILE, answer, check, item, items

MULTI = Ask(lines="multi")


def raw(prefix, suffix="", *related, ask=None, **known):
    return answer(NearestLine(), item(prefix, suffix, *related, **known), ask).raw


def test_a_line_is_continued_as_the_one_that_begins_the_same():
    assert raw("a = load(path, mode=1)\nb = 2\nc = load(") == b"path, mode=1)"


def test_the_more_similar_line_wins_over_the_nearer_one():
    prefix = "total = load(path)\nx = load(other)\ntotal = load("
    assert raw(prefix) == b"path)"


def test_of_equal_lines_the_nearest_to_the_cursor_is_copied():
    assert raw("a(1)\na(2)\na(") == b"2)"
    assert raw("a(1)\nb\nc\na(", "\na(3)\n") == b"3)"


def test_lines_above_decide_between_lines_that_begin_the_same():
    prefix = "open()\nx = one\nclose()\nx = two\nfoo\nopen()\nx = "
    assert raw(prefix) == b"one"


def test_what_is_behind_the_cursor_in_the_file_is_copied_from_too():
    assert raw("y = load(", "\nb = 1\ny = load(path)\n") == b"path)"


def test_what_stands_behind_the_cursor_already_is_left_out():
    assert raw("f(alpha, beta)\nf(", ", beta)\n") == b"alpha"
    assert raw("f(alpha, beta)\nf(", ")\n") == b"alpha, beta"


def test_the_cursors_own_line_is_never_copied():
    assert raw("unique = ", " unique = 5\n") == b""


def test_related_files_are_copied_from():
    assert raw("import os\nresult = fetch(", "", "result = fetch(url, timeout=3)\n") == (
        b"url, timeout=3)"
    )


def test_a_word_is_completed_from_its_beginning_only():
    assert raw("import_path = 1\npath_one = 2\npath") == b"_one = 2"


def test_a_new_line_follows_what_followed_similar_lines_with_its_own_indentation():
    prefix = "if a:\n    try:\n        x()\nif b:\n        try:\n"
    assert raw(prefix) == b"            x()"
    assert raw(prefix + "            ") == b"x()"


def test_half_of_an_indentation_is_filled_up():
    prefix = "for a in b:\n    use(a)\nfor a in c:\n  "
    assert raw(prefix) == b"  use(a)"


def test_a_block_has_the_lines_of_its_match_and_the_cursors_indentation():
    prefix = (
        "def first(x):\n    if x:\n        return 1\n\n    return 2\n\n"
        "class C:\n    def first(x):\n        "
    )
    copied = raw(prefix, ask=MULTI)
    assert copied == b"if x:\n            return 1\n\n        return 2"


def test_a_block_in_a_file_of_windows_line_ends_has_them():
    prefix = "def f(x):\r\n    a = 1\r\n    return a\r\n\r\ndef f(x):\r\n"
    assert raw(prefix, ask=MULTI, eol="\r\n") == b"    a = 1\r\n    return a"


def test_single_lines_stay_single():
    prefix = "def f(x):\n    a = 1\n    return a\n\ndef f(x):\n"
    assert raw(prefix) == b"    a = 1"


def test_characters_of_several_bytes_come_whole():
    assert raw("name = 'à'\nname = ") == "'à'".encode()


def test_other_candidates_are_the_next_best_lines():
    found = answer(NearestLine(), item("a(1)\na(2)\na(1)\na("), Ask(lines="single", candidates=5))
    assert found.ranked == (b"1)", b"2)")


@pytest.mark.parametrize("ask", ASKS, ids=str)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_answered(name, ask):
    check(answer(NearestLine(), HOSTILE[name], ask), HOSTILE[name], ask)


@settings(max_examples=150, deadline=None)
@given(items)
def test_nothing_makes_it_raise(asked):
    for ask in ASKS[::3]:
        check(answer(NearestLine(), asked, ask), asked, ask)


async def test_it_says_who_it_is():
    assert (await NearestLine().start()).name == "nearest-line"


def test_a_guess_before_a_line_is_a_line_of_its_own():
    above = "def f(x):\n    if x < 2:\n        return False\n    if x < 9:\n"
    asked = item(above, "    for k in x:\n")
    assert answer(NearestLine(), asked, Ask(lines="single")).raw == b"        return False\n"
