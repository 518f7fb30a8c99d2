"""The cache: by document, text on both sides, context, popup; bounded; what is shown stays."""

from __future__ import annotations

import pytest

from lsp.keystrokes.cache import MOST_ENTRIES, Cache, Entry, Piece
from lsp.keystrokes.place import Selected
from tests.lsp.keystrokes.model import question


def entry(asked, *texts: bytes, whole: bool = True, after: int = 0) -> Entry:
    pieces = tuple(Piece(text=text, replace_after=after, number=n) for n, text in enumerate(texts))
    return Entry(question=asked, pieces=pieces, whole=whole)


def kept(*entries: Entry) -> Cache:
    cache = Cache()
    for one in entries:
        cache.put(one)
    return cache


def texts(found) -> list[bytes] | None:
    return None if found is None else [piece.text for piece in found[1].pieces]


def test_what_is_typed_of_it_is_served_from_it():
    cache = kept(entry(question(b"x = ", b"\n"), b"compute(1)"))
    for typed in range(len(b"compute(1)")):
        found = cache.find(question(b"x = " + b"compute(1)"[:typed], b"\n"))
        assert texts(found) == [b"compute(1)"[typed:]]
    assert cache.find(question(b"x = compute(1)", b"\n")) is None
    assert cache.find(question(b"x = k", b"\n")) is None


@pytest.mark.parametrize(
    "other",
    [
        question(b"x = ", b"y\n"),
        question(b"z = ", b"\n"),
        question(b"x = ", b"\n", name="b.py"),
        question(b"x = ", b"\n", context=1),
        question(b"x = ", b"\n", form="single"),
        question(b"x = ", b"\n", selected=Selected(text=b"max")),
    ],
    ids=["suffix", "prefix", "document", "context", "form", "popup"],
)
def test_another_question_is_not_served(other):
    assert kept(entry(question(b"x = ", b"\n"), b"1")).find(other) is None


def test_what_is_shown_stays_when_the_context_changes():
    one = entry(question(b"x = ", b"\n"), b"compute(1)")
    cache = kept(one)
    cache.show(one)
    typed = question(b"x = com", b"\n", context=7)
    assert texts(cache.find(typed)) == [b"pute(1)"]
    cache.hide(typed.place.document)
    assert cache.find(typed) is None


def test_the_newest_comes_first_unless_another_is_shown():
    old, new = (entry(question(b"x = ", b"\n"), text) for text in (b"old()", b"other()"))
    cache = kept(old, new)
    assert texts(cache.find(question(b"x = o"))) is None
    assert texts(cache.find(question(b"x = o", b"\n"))) == [b"ther()"]
    cache.show(old)
    assert texts(cache.find(question(b"x = o", b"\n"))) == [b"ld()"]


def test_candidates_that_disagree_with_what_is_typed_are_left_out():
    cache = kept(entry(question(b"x = "), b"alpha", b"beta", b"bet + 1"))
    (_, shown) = cache.find(question(b"x = be"))
    assert [(piece.number, piece.text) for piece in shown.pieces] == [(1, b"ta"), (2, b"t + 1")]
    assert shown.typed == (2, 2)


def test_nothing_found_is_an_answer_there_and_only_there_and_not_for_who_asks():
    cache = kept(entry(question(b"x = ")))
    assert texts(cache.find(question(b"x = "))) == []
    assert cache.find(question(b"x = a")) is None
    assert cache.find(question(b"x = ", invoked=True)) is None


def test_who_asks_gets_everything_or_the_model():
    growing = entry(question(b"x:"), b"\n    a()\n", whole=False)
    cache = kept(growing)
    assert texts(cache.find(question(b"x:"))) == [b"\n    a()"]
    assert cache.find(question(b"x:", invoked=True)) is None
    cache.grow(growing, [Piece(text=b"\n    a()\n    b()")], whole=True, completion_id="1")
    assert texts(cache.find(question(b"x:", invoked=True))) == [b"\n    a()\n    b()"]


def test_accepting_a_word_a_line_and_all():
    text = b"first(one, two)\n    second = 2\n    third = 3"
    cache = kept(entry(question(b"    ", b"\n"), text))
    line = text.index(b"\n")
    for accepted in (len(b"first"), line, line + 1, line + 5, len(text) - 1):
        found = cache.find(question(b"    " + text[:accepted], b"\n"))
        assert texts(found) == [text[accepted:]]


def test_a_popup_item_that_is_typed_through_is_still_the_same_question():
    cache = kept(
        entry(question(b"os.pa", b"\n", selected=Selected(text=b"path", before=2)), b"path.join(a)")
    )
    typed = question(b"os.pat", b"\n", selected=Selected(text=b"path", before=3))
    (_, shown) = cache.find(typed)
    assert shown.pieces[0].text == b"path.join(a)"
    assert shown.replace_before == 3
    other = question(b"os.pat", b"\n", selected=Selected(text=b"pathsep", before=3))
    assert cache.find(other) is None
    assert cache.find(question(b"os.pat", b"\n")) is None


def test_memory_is_bounded_by_number_and_by_bytes():
    cache = Cache(most_bytes=100_000)
    for number in range(2 * MOST_ENTRIES):
        cache.put(entry(question(b"%d" % number), b"short"))
    assert len(cache) <= MOST_ENTRIES
    for number in range(100):
        cache.put(entry(question(b"x" * 8000 + b"%d" % number), b"y" * 500))
    assert cache.size <= 100_000
    assert texts(cache.find(question(b"x" * 8000 + b"99"))) == [b"y" * 500]
    assert cache.find(question(b"x" * 8000 + b"0")) is None


def test_the_size_is_that_of_what_is_kept():
    cache = Cache()
    growing = entry(question(b"a"), b"b", whole=False)
    cache.put(growing)
    cache.grow(growing, [Piece(text=b"b" * 10_000)], whole=True, completion_id="")
    assert cache.size == growing.size
    cache.forget("a.py")
    assert (cache.size, len(cache)) == (0, 0)
    cache.grow(growing, [Piece(text=b"b" * 20_000)], whole=True, completion_id="")
    assert cache.size == 0
