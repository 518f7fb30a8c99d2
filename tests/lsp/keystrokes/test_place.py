"""Places by the text around them: what is left of a suggestion, to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.keystrokes.place import AFTER, BEFORE, rest_of, typed_between
from tests.lsp.keystrokes.model import place

TEXT = st.text(alphabet="ab()\n é", max_size=12).map(str.encode)


@given(TEXT, TEXT, TEXT, st.data())
def test_what_is_left_makes_the_same_document(before, after, text, data):
    """Whatever was typed of it, and whatever closers the editor has added or taken away."""
    closers = len(after) - len(after.lstrip(b")"))
    replaced = data.draw(st.integers(0, closers))
    typed = data.draw(st.integers(0, len(text)))
    over = data.draw(st.integers(0, replaced))
    more = data.draw(st.integers(0, 4)) if not over else 0
    now = place(before + text[:typed], b")" * more + after[over:])
    rest = rest_of(place(before, after), text, replaced, now)
    if rest is None:
        assert more and b")" * more not in text[typed:].replace(b"a", b"")
        assert text[typed:].count(b")") < more
        return
    whole = before + text + after[replaced:]
    assert before + text[: rest.typed] + rest.text == before + text
    assert now.before + rest.text + now.after[rest.replace_after :] == whole


@given(TEXT, TEXT, TEXT, TEXT, TEXT)
def test_other_documents_have_nothing_left_of_it(before, after, text, other_before, other_after):
    rest = rest_of(place(before, after), text, 0, place(other_before, other_after))
    if rest is not None:
        assert other_before + rest.text + other_after[rest.replace_after :] == before + text + after


@pytest.mark.parametrize("lines", [1, 40, 3000])
def test_a_scrolling_window_changes_nothing(lines):
    above = b"value = compute(1)\n" * lines
    text = b"first(line)\n    second\n" + b"third = 3\n" * 20
    start = place(above, b"tail\n" * lines)
    for typed in range(len(text)):
        now = place(above + text[:typed], b"tail\n" * lines)
        rest = rest_of(start, text, 0, now)
        assert rest is not None
        assert rest.text == text[typed:]
        assert typed_between(start, now) == text[:typed]


def test_text_that_differs_near_is_another_place():
    start = place(b"x" * BEFORE + b"def f():\n", b"g()\n" * AFTER)
    assert rest_of(start, b"abc", 0, place(b"x" * BEFORE + b"def g():\n", b"g()\n" * AFTER)) is None
    assert rest_of(start, b"abc", 0, place(b"x" * BEFORE + b"def f():\n", b"h()\n" * AFTER)) is None
    assert rest_of(start, b"abc", 0, place(b"def f():\n", b"g()\n" * AFTER)) is None


def test_crlf_is_typed_through_with_one_key():
    start = place(b"if x:", b"\r\ny\r\n")
    rest = rest_of(start, b"\r\n    pass", 0, place(b"if x:\r\n    ", b"\r\ny\r\n"))
    assert rest is not None
    assert rest.text == b"pass"


def test_a_bracket_that_the_editor_closes_is_part_of_what_is_shown():
    start = place(b"f", b"\n")
    rest = rest_of(start, b"(x, y)", 0, place(b"f(", b")\n"))
    assert rest is not None
    assert (rest.text, rest.replace_after) == (b"x, y)", 1)
    assert rest_of(start, b"(x, y", 0, place(b"f(", b")\n")) is None


@given(TEXT, TEXT, st.text(alphabet="ab()\n é", max_size=12).map(str.encode))
def test_what_was_typed_is_found_again(before, after, typed):
    start = place(before, after)
    assert typed_between(start, place(before + typed, after)) == typed
