"""From offer to measurement, with real documents and store, and a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lsprotocol import types

from completion.config import FeedbackConfig
from completion.wire import completion_pb2 as pb
from lsp import inline
from lsp.documents import Document
from lsp.feedback.events import HORIZONS_S, Event, Kind
from lsp.feedback.feedback import Feedback
from lsp.feedback.messages import COMMAND, Dismissed, PartlyAccepted, Shown
from lsp.feedback.offers import MOST_ACCEPTED, MOST_OFFERED
from lsp.feedback.store import read
from lsp.positions import Encoding

KEY = ("c1", 0)


class Timer:
    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self.seconds, self.call, self.cancelled = seconds, call, False

    def cancel(self) -> None:
        self.cancelled = True


class Editor:
    """One document, its feedback, and timers that ring when told to."""

    def __init__(self, folder: Path, text: str, encoding: Encoding = Encoding.UTF16) -> None:
        self.path = folder / "state" / "f.sqlite3"
        self.timers: list[Timer] = []
        self.open = True
        self.feedback = Feedback(
            warn=lambda text: pytest.fail(text), path=self.path, call_later=self._later,  # type: ignore[arg-type]
            is_open=lambda document: self.open, clock=lambda: 1.8e9,
        )  # fmt: skip
        self.document = Document("file:///p/a.py", text, encoding, version=1, language_id="python")

    def _later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(seconds, call))
        return self.timers[-1]

    def offer(self, line: int, character: int, text: str, identity: str = "c1", **fields):
        snapshot = inline.take(self.document, types.Position(line, character))
        candidate = pb.Candidate(text=text.encode(), stop_reason=pb.STOP_REASON_SYNTAX, **fields)
        response = pb.CompleteResponse(completion_id=identity, candidates=[candidate])
        items = inline.numbered(snapshot, response)
        self.feedback.offered(snapshot, "code", identity, items)
        self.feedback.answered(response)  # as of a stream, whose first lines are offered before
        return items[0][1]

    def apply(self, item: types.InlineCompletionItem) -> None:
        """Put an item into the document, as an editor does."""
        assert item.range is not None and isinstance(item.insert_text, str)
        self.edit(item.range, item.insert_text)

    def edit(self, place: types.Range, text: str) -> None:
        self.document.apply_change(types.TextDocumentContentChangePartial(range=place, text=text))

    def type(self, line: int, character: int, text: str, over: int = 0) -> None:
        start, end = types.Position(line, character), types.Position(line, character + over)
        self.edit(types.Range(start, end), text)

    def ring(self, seconds: int) -> None:
        for timer in [t for t in self.timers if t.seconds == seconds and not t.cancelled]:
            timer.call()
            self.timers.remove(timer)

    async def events(self) -> list[Event]:
        """End, and return what was kept."""
        await self.feedback.close()
        return list(read(self.path))


async def kept(editor: Editor) -> dict[int, float]:
    return {e.after_s: e.kept_share for e in await editor.events() if e.kind is Kind.KEPT}


async def test_an_accepted_text_is_measured_four_times_as_it_is_then(tmp_path):
    editor = Editor(tmp_path, "def f(self):\n    return \n")
    item = editor.offer(1, 11, "len(self.titles)")
    editor.apply(item)
    editor.feedback.accepted(KEY)
    editor.ring(30)
    editor.type(0, 0, "# a line above\n")
    editor.ring(90)
    editor.type(2, 15, "other", over=11)  # len(other)
    editor.ring(180)
    editor.type(2, 4, "", over=17)
    editor.ring(360)
    shares = await kept(editor)
    assert shares == {30: 1.0, 90: 1.0, 180: 3 / 6, 360: 0.0}
    (taken,) = [e for e in await editor.events() if e.kind is not Kind.KEPT]
    assert (taken.kind, taken.accepted_bytes, taken.offered_bytes) == (Kind.ACCEPTED, 16, 16)
    assert (taken.language, taken.scope, taken.stop_reason) == ("python", "code", "syntax")
    assert len(editor.feedback.offers) == 0, "and its text is forgotten"


async def test_news_of_the_accept_may_come_before_the_text(tmp_path):
    editor = Editor(tmp_path, "a = \nb = 1\n")
    item = editor.offer(0, 4, "one(\n    two,\n)")
    editor.feedback.accepted(KEY)
    editor.apply(item)
    editor.ring(30)
    assert await kept(editor) == {30: 1.0}


async def test_a_text_that_never_came_is_not_there(tmp_path):
    editor = Editor(tmp_path, "a = \nb = one\n")
    editor.offer(0, 4, "one")
    editor.feedback.accepted(KEY)
    editor.ring(30)
    assert await kept(editor) == {30: 0.0}


async def test_taken_word_by_word_it_is_measured_as_far_as_it_was_taken(tmp_path):
    editor = Editor(tmp_path, "x = '😋'; y = \n")
    editor.offer(0, 14, "fünf + '😋' + zwei")
    editor.type(0, 14, "fünf")
    editor.feedback.partly_accepted(PartlyAccepted(key=KEY, accepted_length=4))
    editor.type(0, 18, " + '😋'")
    editor.feedback.partly_accepted(PartlyAccepted(key=KEY, accepted_length=11))
    assert [t.cancelled for t in editor.timers] == [True] * 4 + [False] * 4
    editor.ring(30)
    events = await editor.events()
    sizes = {e.accepted_bytes for e in events if e.kind is Kind.PARTLY_ACCEPTED}
    assert sizes == {len("fünf".encode()), len("fünf + '😋'".encode())}
    assert [e.kept_share for e in events if e.kind is Kind.KEPT] == [1.0]


async def test_what_is_left_after_a_word_counts_from_where_that_ended(tmp_path):
    editor = Editor(tmp_path, "a = \n")
    editor.offer(0, 4, "one + two + three")
    editor.type(0, 4, "one")
    editor.feedback.partly_accepted(PartlyAccepted(key=KEY, accepted_length=3))
    editor.offer(0, 7, " + two + three")  # the rest of the same suggestion, as the editor asks anew
    editor.type(0, 7, " + two")
    editor.feedback.partly_accepted(PartlyAccepted(key=KEY, accepted_length=6))
    editor.feedback.accepted(KEY)
    sizes = {(e.kind.name, e.accepted_bytes) for e in await editor.events()}
    assert sizes == {("PARTLY_ACCEPTED", 3), ("PARTLY_ACCEPTED", 9), ("ACCEPTED", 17)}


async def test_what_replaces_typed_text_counts_what_is_new(tmp_path):
    editor = Editor(tmp_path, "os.pa)\n")
    item = editor.offer(0, 5, "path)", replace_before=2, replace_after=1)
    editor.apply(item)
    editor.feedback.accepted(KEY)
    editor.ring(30)
    (taken,) = [e for e in await editor.events() if e.kind is Kind.ACCEPTED]
    assert taken.accepted_bytes == len("th)")


async def test_an_accept_told_twice_counts_once(tmp_path):
    editor = Editor(tmp_path, "a = \n")
    editor.offer(0, 4, "one")
    editor.feedback.accepted(KEY)
    editor.feedback.accepted(KEY)
    assert [e.kind for e in await editor.events()] == [Kind.ACCEPTED]


async def test_shown_and_dismissed_are_kept_with_known_words_only(tmp_path):
    editor = Editor(tmp_path, "a = \n")
    editor.offer(0, 4, "one")
    editor.feedback.shown(Shown(key=KEY, visible_ms=812))
    editor.feedback.dismissed(Dismissed(key=KEY, reason="escape"))
    editor.feedback.dismissed(Dismissed(key=KEY, reason="password = 1"))
    events = await editor.events()
    assert {(e.kind, e.visible_ms, e.reason) for e in events} == {
        (Kind.SHOWN, 812, ""), (Kind.DISMISSED, 0, "escape"), (Kind.DISMISSED, 0, "other"),
    }  # fmt: skip


async def test_of_a_suggestion_that_was_never_offered_nothing_is_kept(tmp_path):
    editor = Editor(tmp_path, "a = \n")
    editor.feedback.shown(Shown(key=("other", 0), visible_ms=812))
    editor.feedback.accepted(("other", 0))
    editor.feedback.partly_accepted(PartlyAccepted(key=("other", 0), accepted_length=3))
    assert await editor.events() == []
    assert not editor.path.exists()


async def test_what_was_accepted_in_a_closed_document_is_not_measured(tmp_path):
    editor = Editor(tmp_path, "a = \n")
    editor.apply(editor.offer(0, 4, "one"))
    editor.feedback.accepted(KEY)
    editor.open = False
    for seconds in HORIZONS_S:
        editor.ring(seconds)
    assert await kept(editor) == {}
    assert len(editor.feedback.offers) == 0


async def test_off_it_asks_nothing_of_the_editor_and_keeps_nothing(tmp_path):
    editor = Editor(tmp_path, "a = \n")
    item = editor.offer(0, 4, "one")
    assert item.command is not None
    assert (item.command.command, item.command.arguments) == (COMMAND, ["c1", 0])
    editor.feedback.configured(FeedbackConfig(enabled=False))
    assert len(editor.feedback.offers) == 0
    assert editor.offer(0, 4, "one").command is None
    editor.feedback.accepted(KEY)
    assert await editor.events() == []
    assert not editor.path.exists()


async def test_what_is_remembered_is_bounded_and_accepted_ones_are_not_pushed_out(tmp_path):
    editor = Editor(tmp_path, "a = \n")
    editor.offer(0, 4, "one", "kept")
    editor.feedback.accepted(("kept", 0))
    for number in range(MOST_OFFERED + 50):
        editor.offer(0, 4, "one", f"c{number}")
    assert len(editor.feedback.offers) == MOST_OFFERED + 1
    assert editor.feedback.offers.get(("kept", 0)) is not None
    assert editor.feedback.offers.get(("c0", 0)) is None
    for number in range(MOST_ACCEPTED + 50):
        editor.offer(0, 4, "one", f"d{number}")
        editor.feedback.accepted((f"d{number}", 0))
    assert len(editor.feedback.offers) <= MOST_OFFERED + MOST_ACCEPTED
    (regions,) = [f for f in editor.document.followers if hasattr(f, "held")]
    assert len(regions.held) == len(editor.feedback.offers)  # type: ignore[attr-defined]
    await editor.feedback.close()
    assert regions.held == []  # type: ignore[attr-defined]
