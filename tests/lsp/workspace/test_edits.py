"""The edit between two texts: it makes one of the other, and is small where they are alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp.workspace.edits import edit_between

TEXT = st.text(alphabet="ab\né𝛼€\u0391", max_size=30)


@given(TEXT, TEXT, TEXT, TEXT)
def test_it_makes_one_text_of_the_other_and_keeps_what_they_share(head, old, new, tail):
    before, after = (head + old + tail).encode(), (head + new + tail).encode()
    edit = edit_between(before, after)
    assert before[: edit.start] + edit.text + before[edit.end :] == after
    assert len(edit.text) <= len(new.encode()) and edit.end - edit.start <= len(old.encode())
    for piece in (edit.text, before[: edit.start], before[edit.end :]):
        piece.decode()  # no character is cut


def test_one_character_more_in_a_run_of_the_same_is_one_character():
    edit = edit_between(b"aaaa", b"aaaaa")
    assert (edit.start, edit.end, edit.text) == (4, 4, b"a")
    assert edit_between(b"aaaaa", b"aaaa").text == b""
