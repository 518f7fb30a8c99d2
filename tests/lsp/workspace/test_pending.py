"""When a file's turn comes."""

from __future__ import annotations

from lsp.workspace import pending
from lsp.workspace.pending import Pending


def test_typing_waits_for_a_pause_and_not_for_ever(monkeypatch):
    monkeypatch.setattr(pending, "PAUSE_S", 1.0)
    monkeypatch.setattr(pending, "LATEST_S", 5.0)
    waiting = Pending()
    waiting.edited("a.py", 0.0)
    assert waiting.take(0.5) is None and waiting.due_in(0.5) == 0.5
    waiting.edited("a.py", 0.5)
    assert waiting.take(1.0) is None
    for tenth in range(6, 50):
        waiting.edited("a.py", tenth / 10)
        assert waiting.take(tenth / 10) is None
    assert waiting.take(5.0) == ("a.py", False)
    assert waiting.take(9.0) is None and waiting.due_in(9.0) is None


def test_what_is_taken_away_goes_first_then_documents_then_files():
    waiting = Pending()
    waiting.file("file.py")
    waiting.document("document.py", 0.0)
    waiting.remove("gone.py")
    order = [waiting.take(0.0) for _ in range(4)]
    assert order == [("gone.py", True), ("document.py", False), ("file.py", False), None]


def test_a_path_is_there_once_and_as_what_was_said_last():
    waiting = Pending()
    waiting.file("a.py")
    waiting.remove("a.py")
    waiting.file("a.py")
    waiting.later("a.py", 9.0)
    assert len(waiting) == 1
    assert waiting.take(0.0) == ("a.py", False) and len(waiting) == 0
