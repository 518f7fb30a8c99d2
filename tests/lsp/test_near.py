"""Places in documents: the text near a cursor, and where an edit leaves the cursor."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp.documents import Document
from lsp.keystrokes.place import AFTER, BEFORE
from lsp.near import cursors_after, is_key, place_at
from lsp.positions import Encoding, units_of_column, wire_bytes

LINES = st.lists(
    st.sampled_from(["x", "é😋", "", "()", "y" * 3000, "w" * 9000]), min_size=1, max_size=9
)


def opened(text: str, encoding: Encoding = Encoding.UTF16) -> Document:
    return Document("file:///a.py", text, encoding)


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_the_text_near_is_that_of_the_whole(lines, end, data):
    document = opened(end.join(lines))
    line = data.draw(st.integers(0, len(document.content.lines) - 1))
    column = data.draw(st.integers(0, len(lines[line])))
    place = place_at(document, "a", line, column)
    before = wire_bytes(document.content.before(line, column))
    after = wire_bytes(document.content.after(line, column))
    assert (place.before, place.after) == (before[-BEFORE:], after[:AFTER])
    assert (place.is_start, place.is_end) == (len(before) <= BEFORE, len(after) <= AFTER)
    assert place.column == len(wire_bytes(lines[line][:column]))


@given(
    st.sampled_from(list(Encoding)), st.sampled_from(["😋 = f", "a\nb", ""]),
    st.sampled_from(["x", "😋", "\n    ", "a\r\nb", "()", "[]"]), st.integers(0, 6),
)  # fmt: skip
def test_a_cursor_stands_behind_what_was_inserted(encoding, text, typed, column):
    document = opened(text, encoding)
    first = text.split("\n")[0]
    before = wire_bytes(first[:column])
    start = types.Position(0, units_of_column(first, column, encoding))
    change = types.TextDocumentContentChangePartial(types.Range(start, start), typed)
    document.apply_change(change)
    found = cursors_after(document, "a", [change])
    assert found is not None
    assert before + wire_bytes(typed) in [place.before for place in found]
    if typed in ("()", "[]"):
        assert before + wire_bytes(typed[:1]) in [place.before for place in found]


def test_a_whole_new_text_says_nothing_of_the_cursor():
    document = opened("x")
    change = types.TextDocumentContentChangeWholeDocument("y")
    document.apply_change(change)
    assert cursors_after(document, "a", [change]) is None


def test_what_one_key_brings():
    def changed(text: str):
        return types.TextDocumentContentChangePartial(
            types.Range(types.Position(0, 0), types.Position(0, 0)), text
        )

    for text in ("a", "()", "\n        ", "😋", " "):
        assert is_key([changed(text)])
    for changes in ([changed("")], [changed("accepted()")], [changed("a"), changed("b")], []):
        assert not is_key(changes)
