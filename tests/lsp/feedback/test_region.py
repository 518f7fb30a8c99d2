"""A region follows its lines through any edits of a real document."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp.documents import Document
from lsp.feedback.region import Regions
from lsp.positions import Encoding

MARK = "accepted_one\naccepted_two"
LINES = [f"line {n} of some" for n in range(8)]
TYPED = st.text(st.sampled_from("ab\n\r "), max_size=6)


def change(start: tuple[int, int], end: tuple[int, int], text: str):
    place = types.Range(types.Position(*start), types.Position(*end))
    return types.TextDocumentContentChangePartial(range=place, text=text)


def begun(line: int):
    document = Document("file:///a.py", "\n".join(LINES), Encoding.UTF8, version=1)
    regions = Regions()
    document.followers.append(regions)
    return document, regions, regions.begin(line)


@st.composite
def edits(draw: st.DrawFn):
    """An edit by fractions of the document, wherever that is then."""
    return draw(st.floats(0, 1)), draw(st.integers(0, 2)), draw(st.integers(0, 12)), draw(TYPED)


def outside(document: Document, edit) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Where the edit goes so that it touches no line of the accepted text."""
    where, more, column, _ = edit
    lines = document.content.lines
    first = next(n for n, line in enumerate(lines) if "accepted_one" in line)
    line = int(where * (len(lines) - 1))
    last = min(line + more, len(lines) - 1)
    if line <= first + 1 and last >= first - 1:
        return None
    start = (line, min(column, len(lines[line].rstrip("\r\n"))))
    end = (last, len(lines[last].rstrip("\r\n")) if last > line else start[1])
    return start, end


@given(st.integers(2, 5), st.lists(edits(), max_size=12))
def test_the_accepted_text_stays_inside_whatever_happens_elsewhere(line, changes):
    document, _, region = begun(line)
    document.apply_change(change((line, 4), (line, 4), MARK))
    for edit in changes:
        place = outside(document, edit)
        if place is not None:
            document.apply_change(change(*place, edit[3]))
    text = region.text(document.lines, 10_000)
    assert MARK in text
    assert text.count("\n") <= 2, "and nothing has been taken in that did not touch it"


@given(st.integers(0, 7), st.lists(edits(), max_size=12))
def test_it_is_always_a_place_in_the_document(line, changes):
    document, _, region = begun(line)
    for where, more, column, text in changes:
        lines = document.content.lines
        first = int(where * (len(lines) - 1))
        last = min(first + more, len(lines) - 1)
        document.apply_change(change((first, column), (last, column), text))
        assert 0 <= region.first < region.end <= len(document.content.lines)


def test_the_whole_text_sent_anew_is_an_edit_of_what_differs():
    document, _, region = begun(3)
    document.apply_change(change((3, 4), (3, 4), MARK))
    whole = "a new first line\n" + document.source
    document.apply_change(types.TextDocumentContentChangeWholeDocument(text=whole))
    assert MARK in region.text(document.lines, 10_000)
    assert region.first == 4


def test_its_text_is_bounded_and_it_is_followed_no_more_when_ended():
    document, regions, region = begun(3)
    document.apply_change(change((3, 0), (3, 0), "x" * 500 + "\n" + "y" * 500))
    assert len(region.text(document.lines, 100)) <= 200
    twin = regions.begin(region.first)
    twin.end = region.end
    regions.end(region)
    assert regions.held == [twin] and regions.held[0] is twin
