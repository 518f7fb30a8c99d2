"""The typist takes what is exactly what comes next, and nothing that would spoil the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.replay.typist import Edit, Typing, Verdict, offset_of, position, size


def typing(region, done=0, above="a\n", below="\nz\n"):
    return Typing(above=above, region=region, below=below, done=done)


def ghost(at: Typing, text: str, *, before: int = 0, after: int = 0) -> Edit:
    return Edit(start=at.cursor - before, end=at.cursor + after, text=text)


def test_a_key_types_one_character_and_a_line_end_of_two_is_one_key():
    at = typing("x\r\ny")
    keys = []
    while not at.is_over:
        edit = at.key()
        keys.append(edit.text)
        at = at.after(edit)
    assert keys == ["x", "\r\n", "y"]
    assert at.document == "a\nx\r\ny\nz\n"
    assert size("x\r\ny") == 3


def test_a_suggestion_that_is_the_rest_is_taken_whole():
    at = typing("return x + y", done=7)
    assert at.judge(ghost(at, "x + y")) == (Verdict.WHOLE, ghost(at, "x + y"))


def test_a_suggestion_that_is_the_beginning_of_the_rest_is_taken():
    at = typing("return x + y", done=7)
    assert at.judge(ghost(at, "x +"))[0] is Verdict.WHOLE


def test_one_character_is_not_worth_a_key():
    at = typing("return x", done=7)
    assert at.judge(ghost(at, "x")) == (Verdict.TYPE, None)
    at = typing("f\r\n", done=1)
    assert at.judge(ghost(at, "\r\n")) == (Verdict.TYPE, None)


def test_of_a_block_whose_later_lines_are_wrong_the_first_line_is_taken():
    at = typing("if x:\n    return 1", done=3)
    verdict, edit = at.judge(ghost(at, "x:\n    pass"))
    assert verdict is Verdict.LINE
    assert edit == ghost(at, "x:")


def test_the_first_line_of_a_text_that_begins_with_line_ends_is_the_first_with_text():
    at = typing("if x:\n    return 1\nb", done=5)
    verdict, edit = at.judge(ghost(at, "\n    return 1\n    c"))
    assert (verdict, edit.text) == (Verdict.LINE, "\n    return 1")


def test_another_text_is_typed_over():
    at = typing("return x", done=7)
    assert at.judge(ghost(at, "yy")) == (Verdict.TYPE, None)
    assert at.judge(None) == (Verdict.TYPE, None)


def test_a_text_that_goes_on_beyond_the_region_is_not_taken_whole():
    at = typing("xyz")
    assert at.judge(ghost(at, "xyzzy"))[0] is Verdict.TYPE
    assert at.judge(ghost(at, "xyz\nmore")) == (Verdict.LINE, ghost(at, "xyz"))


def test_a_right_text_that_eats_what_is_behind_it_is_wrong_and_not_taken():
    at = typing("f(abc", done=2, below=")\n")
    assert at.judge(ghost(at, "abc", after=1)) == (Verdict.WRONG, None)


def test_a_closing_bracket_that_is_brought_again_for_the_one_replaced_is_right():
    at = typing("f(abc", done=2, below=")\n")
    verdict, edit = at.judge(ghost(at, "abc)", after=1))
    assert verdict is Verdict.WHOLE
    assert at.after(edit).document == "a\nf(abc)\n"


def test_a_text_that_replaces_what_is_before_the_cursor_is_applied_with_it():
    at = typing("value", done=2)
    verdict, edit = at.judge(ghost(at, "value", before=2))
    assert verdict is Verdict.WHOLE
    assert at.after(edit).is_over


def test_no_text_that_is_taken_ends_between_the_two_of_a_line_end():
    at = typing("ab\r\nc")
    assert at.judge(ghost(at, "ab\r")) == (Verdict.LINE, ghost(at, "ab"))
    assert at.after(ghost(at, "ab\r")) is None


def test_a_file_of_windows_line_ends_takes_no_other_line_ends():
    at = typing("ab:\r\n    c", done=0)
    verdict, edit = at.judge(ghost(at, "ab:\n    c"))
    assert (verdict, edit.text) == (Verdict.LINE, "ab:")


@given(st.text(alphabet="aé世🙂\r\n x", max_size=30), st.integers(0, 30))
def test_positions_there_and_back(text, offset):
    offset = min(offset, len(text))
    if text[max(0, offset - 1) : offset + 1] == "\r\n":
        offset -= 1
    assert offset_of(text, *position(text, offset)) == offset


def test_positions_are_lines_and_bytes():
    text = "é🙂\r\nx\ry\n"
    assert position(text, 2) == (0, 6)
    assert position(text, 4) == (1, 0)
    assert position(text, 6) == (2, 0)
    assert position(text, len(text)) == (3, 0)


texts = st.text(alphabet="ab\n ", max_size=8)


@given(texts, st.text(alphabet="ab\n ", min_size=1, max_size=12), texts, st.data())
def test_whatever_is_taken_leads_to_the_file(above, region, below, data):
    at = typing(region, above=above, below=below)
    at = Typing(
        above=above, region=region, below=below, done=data.draw(st.integers(0, len(region)))
    )
    before = data.draw(st.integers(0, at.done))
    after = data.draw(st.integers(0, len(below)))
    verdict, edit = at.judge(ghost(at, data.draw(texts), before=before, after=after))
    assert (edit is not None) == (verdict in (Verdict.WHOLE, Verdict.LINE))
    if edit is not None:
        then = at.after(edit)
        assert then.done >= at.done + 2
        assert edit.applied(at.document) == above + region[: then.done] + below


@pytest.mark.parametrize("text", ["", "\n", "  "])
def test_empty_suggestions_are_typed_over(text):
    at = typing("xyz")
    assert at.judge(ghost(at, text)) == (Verdict.TYPE, None)
