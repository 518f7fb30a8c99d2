"""Incremental sync against a slow reference, in every encoding, on text made to break it."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp.documents import Document, Documents, LineText, split_lines
from lsp.positions import Encoding

NASTY = ["\r", "\n", "\r\n", "\f", "\v", "\x85", "\u2028", "\u2029", "\x1c", "\x1d", "\x1e"]
texts = st.lists(
    st.sampled_from(
        [*NASTY, "a", "x = 1", " ", "\t", "é", "e\u0301", "ß", "漢", "😋", "👨‍👩‍👧", "\ufeff"]
    ),
    max_size=30,
).map("".join)
encodings = st.sampled_from(Encoding)
positions = st.builds(types.Position, st.integers(0, 20), st.integers(0, 40))
edits = st.lists(st.tuples(positions, positions, texts), max_size=8)


def width(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.UTF32:
        return 1
    if encoding is Encoding.UTF8:
        return len(character.encode())
    return 2 if ord(character) > 0xFFFF else 1


def reference_offset(text: str, position: types.Position, encoding: Encoding) -> int:
    """Walk the text character by character, as the specification reads."""
    offset = line = 0
    while line < position.line:
        if offset == len(text):
            return offset
        step = 2 if text.startswith("\r\n", offset) else 1
        line += text[offset] in "\r\n"
        offset += step
    units = 0
    while offset < len(text) and text[offset] not in "\r\n":
        units += width(text[offset], encoding)
        if units > position.character:
            break
        offset += 1
    return offset


def reference_edit(text, start, end, new, encoding):
    low, high = sorted(reference_offset(text, p, encoding) for p in (start, end))
    return text[:low] + new + text[high:]


def document(text: str, encoding: Encoding) -> Document:
    return Document("file:///a.py", text, encoding, version=1, language_id="python")


@given(texts, edits, encodings)
def test_any_sequence_of_edits_equals_the_reference(text, changes, encoding):
    edited, expected = document(text, encoding), text
    for start, end, new in changes:
        change = types.TextDocumentContentChangePartial(types.Range(start, end), new)
        untouched = copy.deepcopy(change)
        edited.apply_change(change)
        expected = reference_edit(expected, start, end, new, encoding)
        assert edited.source == expected
        assert edited.content.lines == split_lines(expected)
        assert change == untouched, "the request's own positions were changed"


@given(texts, encodings)
def test_every_position_round_trips(text, encoding):
    content = LineText(text)
    for line, with_end in enumerate(content.lines):
        for column in range(len(with_end.rstrip("\r\n")) + 1):
            position = content.position(line, column, encoding)
            assert content.locate(position, encoding) == (line, column)


@given(texts, positions, encodings)
def test_before_and_after_are_the_text_cut_at_the_position(text, position, encoding):
    content = LineText(text)
    place = content.locate(position, encoding)
    assert content.before(*place) == text[: reference_offset(text, position, encoding)]
    assert content.before(*place) + content.after(*place) == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a\n", ""]),
        ("a\r\nb\rc\n\n", ["a\r\n", "b\r", "c\n", "\n", ""]),
        (
            "a\fb\x0bc\x85d\u2028e\u2029f\x1cg\x1dh\x1ei",
            ["a\fb\x0bc\x85d\u2028e\u2029f\x1cg\x1dh\x1ei"],
        ),
    ],
)
def test_lines_end_where_lsp_says_and_nowhere_else(text, lines):
    assert split_lines(text) == lines


def test_a_line_end_joined_from_two_edits_is_one():
    edited = document("a\rb", Encoding.UTF16)
    here = types.Position(1, 0)
    edited.apply_change(types.TextDocumentContentChangePartial(types.Range(here, here), "\n"))
    assert edited.content.lines == ["a\r\n", "b"]


def test_a_surrogate_pair_that_comes_in_two_edits_is_one_character():
    edited = document("x", Encoding.UTF16)
    for column, half in ((1, "\ud83d"), (2, "\ude0b")):
        here = types.Position(0, column)
        edited.apply_change(types.TextDocumentContentChangePartial(types.Range(here, here), half))
    assert edited.source == "x😋"


def test_a_whole_text_replaces_everything_and_counts_as_a_change():
    edited = document("a\nb", Encoding.UTF8)
    edited.apply_change(types.TextDocumentContentChangeWholeDocument("c"))
    assert (edited.source, edited.epoch) == ("c", 1)


@pytest.mark.parametrize(
    ("encoding", "inside"), [(Encoding.UTF8, 3), (Encoding.UTF16, 2)], ids=["utf-8", "utf-16"]
)
def test_a_position_inside_a_character_is_where_it_starts(encoding, inside):
    assert LineText("a😋b").locate(types.Position(0, inside), encoding) == (0, 1)


def test_a_position_past_the_end_of_a_last_line_without_newline_is_that_end():
    assert LineText("ab\ncd").locate(types.Position(1, 99), Encoding.UTF16) == (1, 2)
    assert LineText("ab\ncd").locate(types.Position(9, 0), Encoding.UTF16) == (1, 2)


def test_pygls_reads_positions_through_the_same_rules():
    opened = document("a😋b\x85c", Encoding.UTF16)
    assert opened.offset_at_position(types.Position(0, 99)) == 5
    assert opened.offset_at_position(types.Position(0, 3)) == 2
    assert opened.word_at_position(types.Position(0, 4)) == "b"


def test_a_document_is_found_however_its_uri_is_quoted():
    params = types.InitializeParams(types.ClientCapabilities(), root_uri="file:///w")
    documents = Documents(params, Encoding.UTF16)
    documents.put_text_document(types.TextDocumentItem("file:///w/a%20b.py", "python", 1, "x"))
    found = documents.opened("file:///w/a b.py")
    assert found is not None and found.source == "x"
    assert documents.roots() == ["/w"]
