"""What is sent next, when some of what was sent was refused, lost or never answered."""

from __future__ import annotations

from lsp.context.reading import UNKNOWN
from lsp.workspace import ledger
from lsp.workspace.ledger import Ledger, Refusal, compared


def sent(books: Ledger, path: str, text: bytes, *, keep: bool = True):
    return books.change(path, compared(text, books.before(path), UNKNOWN, keep=keep))


def test_a_change_is_an_edit_to_the_last_one_sent_and_nothing_when_nothing_is_new():
    books = Ledger("id")
    first = sent(books, "a.py", b"one two")
    other = sent(books, "b.py", b"b")
    second = sent(books, "a.py", b"one 2 two")
    assert first is not None and other is not None and second is not None
    assert (first.version, other.version, second.version) == (1, 2, 3)
    assert second.base_version == 1 and not second.text and second.edits[0].text == b"2 "
    assert sent(books, "a.py", b"one 2 two") is None
    assert books.version == 3


def test_an_edit_that_was_made_for_another_text_is_sent_whole():
    books = Ledger("id")
    sent(books, "a.py", b"one")
    late = compared(b"one two", books.before("a.py"), UNKNOWN, keep=True)
    books.doubt_all()
    change = books.change("a.py", late)
    assert change is not None and change.text == b"one two" and not change.edits


def test_what_was_not_acknowledged_is_sent_whole_over_a_new_stream():
    books = Ledger("id")
    for path in ("a.py", "b.py", "c.py"):
        sent(books, path, b"text")
    books.acknowledged(2)
    books.removal("a.py")
    books.doubt_waiting()
    assert sent(books, "b.py", b"text") is None
    again = sent(books, "c.py", b"text")
    assert again is not None and again.text == b"text"
    removed = books.removal("a.py")
    assert removed is not None and removed.removed


def test_a_refusal_holds_for_the_text_that_was_refused():
    books = Ledger("id")
    sent(books, "a.py", b"large")
    books.refused("a.py", 1)
    assert sent(books, "a.py", b"large") is None
    assert books.removal("a.py") is None, "the server has nothing of it"
    smaller = sent(books, "a.py", b"small")
    assert smaller is not None and smaller.text == b"small"


def test_a_refusal_of_an_earlier_text_says_nothing_of_a_later_one():
    books = Ledger("id")
    sent(books, "a.py", b"large")
    sent(books, "a.py", b"large!")
    assert books.refused("a.py", 1) is Refusal.OF_ANOTHER
    removed = books.removal("a.py")
    assert removed is not None and removed.removed, "it may have been taken"


def test_a_text_that_was_taken_and_then_let_go_of_is_told_from_one_that_is_refused():
    books = Ledger("id")
    sent(books, "a.py", b"a")
    sent(books, "b.py", b"b")
    assert books.refused("a.py", 2) is Refusal.LET_GO
    assert books.refused("b.py", 2) is Refusal.OF_TEXT
    assert sent(books, "a.py", b"a") is None
    books.send_again("a.py")
    again = sent(books, "a.py", b"a")
    assert again is not None and again.text == b"a"
    edit = sent(books, "a.py", b"a b c")
    assert edit is not None and edit.edits
    assert books.refused("a.py", edit.version) is Refusal.OF_EDIT


def test_the_window_is_bounded_in_changes_and_bytes():
    books = Ledger("id")
    while books.has_room:
        sent(books, f"{books.version}.py", b"x")
    assert books.version == ledger.WINDOW_CHANGES
    books.acknowledged(1)
    assert books.has_room
    sent(books, "large.py", b"x" * ledger.WINDOW_BYTES)
    books.acknowledged(10)
    assert not books.has_room
    books.acknowledged(books.version)
    assert books.has_room and books.is_settled


def test_kept_texts_are_bounded_and_what_is_not_kept_is_sent_whole(monkeypatch):
    monkeypatch.setattr(ledger, "KEPT_BYTES", 100)
    books = Ledger("id")
    sent(books, "a.py", b"a" * 60)
    sent(books, "b.py", b"b" * 60)
    assert books.before("a.py") is None and books.before("b.py") is not None
    change = sent(books, "a.py", b"a" * 61)
    assert change is not None and change.text == b"a" * 61
