"""What a document says of its changes: size, splices, deletions; and documents too large to keep."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp.documents import MAX_KEPT, Document, Splice, shortened_at, split_lines
from lsp.positions import Encoding, wire_bytes

texts = st.lists(
    st.sampled_from(["\r", "\n", "\r\n", "\f", "\u2028", "a", "x = 1", "é", "😋", "\ud83d", "\0"]),
    max_size=20,
).map("".join)
positions = st.builds(types.Position, st.integers(0, 12), st.integers(0, 12))


def document(text: str) -> Document:
    return Document("file:///a.py", text, Encoding.UTF16, version=1, language_id="python")


def change(start: tuple[int, int], end: tuple[int, int], text: str):
    return types.TextDocumentContentChangePartial(
        types.Range(types.Position(*start), types.Position(*end)), text
    )


def whole(text: str):
    return types.TextDocumentContentChangeWholeDocument(text)


class Copy:
    """Lines kept by what is told of them alone."""

    def __init__(self, opened: Document) -> None:
        self.opened, self.lines = opened, list(opened.lines)
        opened.followers.append(self)

    def spliced(self, splice: Splice) -> None:
        assert splice.removed >= 1 and splice.added >= 1
        new = self.opened.lines[splice.first : splice.first + splice.added]
        self.lines[splice.first : splice.first + splice.removed] = new


@given(texts, st.lists(st.tuples(positions, positions, texts, st.booleans()), max_size=6))
def test_size_zeros_and_splices_stay_true(text, changes):
    opened = document(text)
    follower = Copy(opened)
    for start, end, new, is_whole in changes:
        one = types.TextDocumentContentChangePartial(types.Range(start, end), new)
        opened.apply_change(whole(new) if is_whole else one)
        assert opened.content.size == len(wire_bytes(opened.source))
        assert opened.content.has_nul == ("\0" in opened.source)
        assert follower.lines == opened.lines == split_lines(opened.source)


@given(texts, st.integers(0, 20), st.integers(1, 20))
def test_a_piece_taken_out_is_seen_and_nothing_else(text, at, length):
    shorter = text[:at] + text[at + length :]
    found = shortened_at(text, shorter)
    assert (found >= 0) == (shorter != text)
    assert shortened_at(text, text) == shortened_at(shorter, text) == -1


@pytest.mark.parametrize(
    ("text", "changes", "line", "deleted"),
    [
        ("ab\ncd", [change((1, 1), (1, 2), "")], 1, True),
        ("ab\ncd", [change((1, 1), (1, 2), "")], 0, False),
        ("ab\ncd", [change((0, 2), (1, 0), "")], 0, True),
        ("ab\ncd", [change((0, 0), (0, 2), "a")], 0, True),
        ("ab\ncd\nef", [change((0, 0), (2, 2), "ab\ncd\nf")], 2, True),
        ("ab\ncd", [whole("ab\nc")], 1, True),
        ("ab\ncd", [whole("ab\nx")], 1, False),
        ("ab\ncd", [change((1, 1), (1, 2), "x")], 1, False),
        ("ab\ncd", [change((1, 2), (1, 2), "x")], 1, False),
        ("ab\ncd", [change((1, 1), (1, 1), "")], 1, False),
        ("ab\ncd", [change((1, 0), (1, 1), ""), change((0, 0), (0, 1), "")], 1, True),
        ("ab  \n", [change((0, 4), (0, 4), "\n"), change((0, 2), (0, 4), "")], 0, False),
        ("f()\n", [change((0, 1), (0, 3), "")], 0, True),
        ("😋😋\n", [change((0, 2), (0, 4), "")], 0, True),
    ],
    ids=[
        "backspace", "on another line", "a line end", "the line sent with less", "lines with less",
        "all sent with less", "all replaced", "replaced", "typed", "nothing", "two cursors",
        "enter that trims blanks", "a pair of brackets", "an emoji",
    ],
)  # fmt: skip
def test_a_deletion_is_an_edit_that_only_takes_away(text, changes, line, deleted):
    opened = document(text)
    for one in changes:
        opened.apply_change(one)
    opened.end_of_changes()
    assert opened.deleted_at(line) is deleted


def test_typing_on_ends_it():
    opened = document("ab")
    opened.apply_change(change((0, 1), (0, 2), ""))
    opened.end_of_changes()
    opened.apply_change(change((0, 1), (0, 1), "c"))
    opened.end_of_changes()
    assert not opened.deleted_at(0)


def _typing(opened, column, keys=1000):
    """Return how many seconds so many keys take at ``column`` of the first line."""
    started = time.perf_counter()
    for n in range(keys):
        opened.apply_change(change((0, column + n), (0, column + n), "y"))
    return time.perf_counter() - started


def test_a_document_beyond_the_limit_is_not_kept_until_it_comes_whole_and_smaller():
    opened = document("x" * (50 << 20))
    assert opened.too_large and opened.source == ""
    small = _typing(document("x" * 1000), 500)
    assert _typing(opened, 1_000_000) < 100 * small, "each change copied the line"
    assert opened.too_large and opened.epoch == 1000
    opened.apply_change(whole("small"))
    assert not opened.too_large and opened.source == "small"


def test_a_document_that_grows_beyond_the_limit_is_let_go():
    opened = document("x\n" * 10)
    follower = Copy(opened)
    opened.apply_change(change((3, 0), (3, 0), "é" * (MAX_KEPT // 2)))
    assert opened.too_large and opened.lines == follower.lines == [""]


def test_a_change_in_a_line_of_five_megabytes_is_quick():
    line = "x" * (5 << 20)
    opened = document(line)
    started = time.perf_counter()
    assert sum(1 for _ in line) == len(line)
    counted = time.perf_counter() - started
    assert _typing(opened, 1_000_000, keys=20) / 20 < counted / 2, "it went through the line"
