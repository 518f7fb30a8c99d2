"""Any editing, against a trivial reference: whatever is answered is what the model would say.

The reference always asks the model. What the schedule answers must be what remains of an answer
that the model has given, to a document that with what was typed is the document there is now. Each
request is answered once, of each document one question is under way, the last request always goes
to the model or is known, and no time and no order of events changes that.
"""

from __future__ import annotations

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lsp.keystrokes.actions import Policy, Source
from lsp.keystrokes.place import Selected
from tests.lsp.keystrokes.model import Desk, place, question

TEXTS = [
    b"", b"foo", b"foo()", b"foo(a, b)\n    bar = 1\n    baz = 2", b"\n    return foo", b"a", b")",
    b"a[0])", b"(a, b) + f(a)(b)", b"f(a)(b)", b"[a](b) + 1",
    b"\r\n  x\r\n  y", "é = 'ü'\n".encode() + b"z", b"(", b'"a" + b',
]  # fmt: skip
NAMES = ("a.py", "b.py")
_PAIRS = {b"(": b")", b"[": b"]", b'"': b'"'}


def answer_of(before: bytes, after: bytes) -> tuple[bytes, int]:
    """What the model says: any text, the same for the same document."""
    text = TEXTS[(sum(before) * 31 + len(before) * 7 + len(after)) % len(TEXTS)]
    closers = len(after) - len(after.lstrip(b")"))
    return text, min(closers, text.count(b")"))


def ahead_by(thought):
    """The document that a thought is about, from the one it was thought in."""

    def ahead(texts: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        before, after = texts
        if thought.after is None:
            return before, after
        cut = before[: len(before) - thought.replace_before]
        return cut + thought.after.text, after[thought.after.replace_after :]

    return ahead


class Editing(RuleBasedStateMachine):
    """Two documents, a user who may do anything, an editor that may cancel, a model of any speed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts = dict.fromkeys(NAMES, (b"x = ", b"))\n"))
        self.cursors = {name: [self.texts[name]] for name in NAMES}
        """All cursors that were asked at since the last edit."""
        self.context = 0
        self.given: list[tuple[str, bytes, bytes, bytes, int]] = []
        """What the model has said: document, text before and after, its answer."""
        self.seen: dict[int, tuple[str, bytes, bytes, bytes]] = {}
        self.about: dict[int, tuple[str, bytes, bytes]] = {}
        self.said: dict[int, int] = {}
        self.shown: dict[str, tuple[bytes, int]] = {}

    @initialize(reuse=st.booleans(), speculate=st.booleans(), latency=st.sampled_from([0.01, 1.0]))
    def begin(self, reuse, speculate, latency) -> None:
        self.desk = Desk(policy=Policy(reuse=reuse, speculate=reuse and speculate))
        for _ in range(20):
            self.desk.rhythm.latency.add(latency)

    def _look(self) -> None:
        """Read what was done since: what is under way now, and what was answered."""
        for number, start in self.desk.running.items():
            if number not in self.about:
                thought = start.thought
                name = thought.question.place.document
                found = [
                    (before, after)
                    for before, after in map(ahead_by(thought), self.cursors[name])
                    if thought.question.place
                    == place(before, after, name=name, selected=thought.question.place.selected)
                ]
                assert found, "asked about a document that is none"
                self.about[number] = (name, *found[0])
        for ticket, answer in self.desk.answers.items():
            if ticket in self.seen:
                self._check(self.seen.pop(ticket), answer)

    def _check(self, where: tuple[str, bytes, bytes, bytes], answer) -> None:
        name, before, after, popup = where
        shown = answer.suggestion
        if not shown.pieces:
            return
        assert b"".join(self.texts[name]) == before + after, "answered for a text that is no more"
        (piece,) = shown.pieces
        assert piece.text.strip()
        assert piece.text.startswith(popup)
        cut = before[: len(before) - shown.replace_before]
        matches = [
            one
            for one in self.given
            if one[0] == name and self._goes_on(cut, after, piece, one, whole=shown.whole)
        ]
        assert matches, "no answer of the model goes on like that"
        if (before, after) == self.texts[name]:
            self.shown[name] = (piece.text[shown.replace_before :], piece.replace_after)

    @staticmethod
    def _goes_on(before, after, piece, given, *, whole: bool) -> bool:
        _, asked_before, asked_after, text, replaced = given
        if not before.startswith(asked_before):
            return False
        typed = before[len(asked_before) :]
        if not (text.startswith(typed + piece.text)):
            return False
        if not whole:
            return True
        return (
            asked_before + text + asked_after[replaced:]
            == before + piece.text + after[piece.replace_after :]
        )

    def _edit(self, name: str, before: bytes, after: bytes, *, cursors: bool, key: bool) -> None:
        if (before, after) == self.texts[name]:
            return
        self.texts[name] = (before, after)
        self.cursors[name] = [(before, after)]
        self.shown.pop(name, None)
        places = (place(before, after, name=name),) if cursors else ()
        self.desk.edit(*places, is_key=key, name=name)
        self._look()

    @rule(name=st.sampled_from(NAMES), key=st.sampled_from([b"f", b"o", b"a", b"(", b"\n", b" "]),
          pairs=st.booleans(), cursors=st.booleans())  # fmt: skip
    def type_a_key(self, name, key, pairs, cursors) -> None:
        before, after = self.texts[name]
        closer = _PAIRS.get(key, b"") if pairs else b""
        self._edit(name, before + key, closer + after, cursors=cursors, key=True)

    @rule(name=st.sampled_from(NAMES), invoked=st.booleans(), agrees=st.booleans(),
          length=st.integers(1, 3))  # fmt: skip
    def type_while_it_is_asked(self, name, invoked, agrees, length) -> None:
        """Ask, and before it is answered type what will be the answer, or something else."""
        self.ask(name, invoked=False, popup=None)
        self.wait(0.2)
        before, after = self.texts[name]
        coming = answer_of(before, after)[0].decode()[:length].encode()
        self._edit(name, before + (coming if agrees else b"q"), after, cursors=True, key=True)
        self.ask(name, invoked=invoked, popup=None)

    @precondition(lambda self: self.shown)
    @rule(data=st.data(), over=st.booleans(), pairs=st.booleans())
    def type_what_is_shown(self, data, over, pairs) -> None:
        name = data.draw(st.sampled_from(sorted(self.shown)))
        text, closers = self.shown[name]
        text = text.decode() or "f"
        typed = text[: data.draw(st.integers(1, len(text)))].encode()
        before, after = self.texts[name]
        if over:
            after = after[min(typed.count(b")"), closers) :]
        elif pairs:
            after = _PAIRS.get(typed[-1:], b"") + after
        self._edit(name, before + typed, after, cursors=True, key=True)
        self.ask(name, invoked=False, popup=None)

    @precondition(lambda self: self.shown)
    @rule(data=st.data(), thinks=st.booleans())
    def accept(self, data, thinks) -> None:
        """Accept all of what is shown, after a pause in which the next may have been thought of."""
        name = data.draw(st.sampled_from(sorted(self.shown)))
        text, closers = self.shown[name]
        self.wait(1.0)
        if thinks:
            self.answer_all()
        before, after = self.texts[name]
        self._edit(name, before + (text or b"f"), after[closers:], cursors=True, key=False)
        self.ask(name, invoked=False, popup=None)

    @rule()
    def answer_all(self) -> None:
        for number in sorted(self.desk.running):
            if number in self.desk.running:
                self._say(number, lines=99)
                self._look()

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name) -> None:
        before, after = self.texts[name]
        self._edit(
            name, before[:-1] if before[-1:].isascii() else b"", after, cursors=True, key=False
        )

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from([b"z", b")", b""]))
    def edit_behind_the_cursor(self, name, text) -> None:
        before, after = self.texts[name]
        self._edit(name, before, text + after if text else after[1:], cursors=True, key=False)
        self.ask(name, invoked=False, popup=None)

    @rule(name=st.sampled_from(NAMES))
    def choose_in_the_popup(self, name) -> None:
        for popup in (b"foo", b"bar", None):
            self.ask(name, invoked=False, popup=popup)
            self.answer_all()

    @rule(name=st.sampled_from(NAMES))
    def move(self, name) -> None:
        before, after = self.texts[name]
        self.texts[name] = (before[:1], before[1:] + after)
        self.cursors[name].append(self.texts[name])
        self.shown.pop(name, None)
        where = question(*self.texts[name], name=name, context=self.context)
        self.desk.do(self.desk.schedule.placed(where, self.desk.now))

    @rule()
    def change_context(self) -> None:
        self.context += 1

    @rule(name=st.sampled_from(NAMES), invoked=st.booleans(),
          popup=st.sampled_from([None, None, None, b"foo", b"bar"]))  # fmt: skip
    def ask(self, name, invoked, popup) -> None:
        before, after = self.texts[name]
        selected = None
        if popup is not None:
            word = len(before) - len(before.rstrip(b"fo"))
            selected = Selected(text=popup, before=word)
        asked = question(
            before, after, name=name, context=self.context, invoked=invoked, selected=selected
        )
        # One answer may come before `ask` has returned; it is for this document all the same.
        self.seen[self.desk._ticket + 1] = (name, before, after, popup or b"")
        self.desk.ask(asked)
        self._look()

    @precondition(lambda self: self.desk.open)
    @rule(data=st.data())
    def cancel(self, data) -> None:
        ticket = data.draw(st.sampled_from(sorted(self.desk.open)))
        self.seen.pop(ticket)
        self.desk.cancel(ticket)
        self._look()

    @rule(seconds=st.sampled_from([0.001, 0.03, 0.06, 0.2, 1.0]))
    def wait(self, seconds) -> None:
        self.desk.wait(seconds)
        self._look()

    @precondition(lambda self: self.desk.running)
    @rule(data=st.data(), fails=st.integers(0, 9).map(lambda n: n == 9))
    def answer(self, data, fails) -> None:
        number = data.draw(st.sampled_from(sorted(self.desk.running)))
        if fails:
            self.desk.fail(number)
        else:
            self._say(number, lines=data.draw(st.sampled_from([1, 2, 99])))
        self._look()

    def _say(self, number: int, lines: int) -> None:
        name, before, after = self.about[number]
        selected = self.desk.running[number].thought.question.place.selected
        text, replaced = answer_of(before, after)
        if selected is not None:
            before = before[: len(before) - selected.before]
            text = selected.text + text
        self.given.append((name, before, after, text, replaced))
        done = self.said.get(number, 0) + lines
        self.said[number] = done
        pieces = text.splitlines(keepends=True)
        part = b"".join(pieces[:done])
        if selected is None and done < len(pieces) and part.endswith(b"\n"):
            self.desk.say(number, part, done=False, after=replaced)
        else:
            self.desk.say(number, text, after=replaced)

    @invariant()
    def memory_is_accounted_for(self) -> None:
        desk = getattr(self, "desk", None)
        if desk is not None:
            assert desk.cache.size == sum(e.size for e in desk.cache._entries.values())

    def teardown(self) -> None:
        """Whoever still waits is answered in the end, and by the model or what it has said."""
        if not hasattr(self, "desk"):
            return
        waiting = set(self.desk.open)
        for _ in range(200):
            if not self.desk.open:
                break
            self.desk.wait(1.0)
            self._look()
            self.answer_all()
        assert not self.desk.open
        for ticket in waiting:
            assert self.desk.answers[ticket].source is not Source.NONE


Editing.TestCase.settings = settings(
    max_examples=200, stateful_step_count=30, deadline=None, phases=[Phase.generate]
)
TestEditing = Editing.TestCase
