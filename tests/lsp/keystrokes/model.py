"""A document, a user and a model for the keystroke path: pure, with a clock that is told the time."""

from __future__ import annotations

from dataclasses import dataclass, field

from lsp.keystrokes.actions import Answer, Cancel, Policy, Source, Start
from lsp.keystrokes.cache import Cache, Piece, Question
from lsp.keystrokes.place import AFTER, BEFORE, Place, Selected
from lsp.keystrokes.rhythm import Rhythm
from lsp.keystrokes.schedule import Schedule
from lsp.keystrokes.speculate import Speculation

NAME = "a.py"


def place(before: bytes, after: bytes = b"", *, name: str = NAME, selected=None) -> Place:
    """The place between two texts, as the language server sees it."""
    return Place(
        document=name, before=before[-BEFORE:], after=after[:AFTER],
        column=len(before) - before.rfind(b"\n") - 1, is_start=len(before) <= BEFORE,
        is_end=len(after) <= AFTER, selected=selected,
    )  # fmt: skip


def question(before: bytes, after: bytes = b"", **fields) -> Question:
    selected = fields.pop("selected", None)
    name = fields.pop("name", NAME)
    return Question(place=place(before, after, name=name, selected=selected), **fields)


@dataclass
class Asked:
    """What is with the model: the document that it was asked about, all of it."""

    start: Start
    before: bytes
    after: bytes


@dataclass
class Desk:
    """A schedule with its parts, and the books kept of what it does."""

    policy: Policy = field(default_factory=Policy)
    now: float = 100.0

    def __post_init__(self) -> None:
        self.cache, self.rhythm = Cache(), Rhythm()
        self.schedule = Schedule(self.cache, self.rhythm, Speculation(self.cache), self.policy)
        self.open: dict[int, Question] = {}
        self.answers: dict[int, Answer] = {}
        self.running: dict[int, Start] = {}
        self.started: list[Start] = []
        self.cancelled: list[int] = []
        self._ticket = 0

    def do(self, actions) -> list:
        for action in actions:
            match action:
                case Answer():
                    assert action.ticket in self.open, "answered twice, or never asked"
                    del self.open[action.ticket]
                    self.answers[action.ticket] = action
                case Start():
                    self.running[action.flight] = action
                    self.started.append(action)
                case Cancel():
                    del self.running[action.flight]
                    self.cancelled.append(action.flight)
        names = [start.thought.question.place.document for start in self.running.values()]
        assert len(names) == len(set(names)), "more than one question of a document under way"
        return list(actions)

    def ask(self, asked: Question) -> int:
        self._ticket += 1
        self.open[self._ticket] = asked
        self.do(self.schedule.ask(self._ticket, asked, self.now))
        return self._ticket

    def edit(self, *places: Place, is_key: bool = True, name: str = NAME) -> None:
        self.do(self.schedule.edited(name, places or None, self.now, is_key=is_key))

    def cancel(self, ticket: int) -> None:
        if self.open.pop(ticket, None) is not None:
            self.do(self.schedule.cancelled(ticket, self.now))

    def say(self, number: int, text: bytes, *, done: bool = True, after: int = 0) -> None:
        pieces = [Piece(text=text, replace_after=after)] if text else []
        if done:
            del self.running[number]
            self.do(self.schedule.finished(number, pieces, self.now))
        else:
            self.do(self.schedule.progress(number, pieces, self.now))

    def fail(self, number: int) -> None:
        del self.running[number]
        self.do(self.schedule.finished(number, [], self.now, is_known=False))

    def wait(self, seconds: float) -> None:
        """Let time pass, waking the schedule whenever it wants that."""
        until = self.now + seconds
        while (due := self.schedule.next_wake) is not None and due <= until:
            self.now = max(self.now, due)
            self.do(self.schedule.wake(self.now))
        self.now = until

    @property
    def flight(self) -> int:
        """The only question under way."""
        (number,) = self.running
        return number

    def shown(self, ticket: int) -> bytes | None:
        """What the request was answered with; None: not yet."""
        answer = self.answers.get(ticket)
        if answer is None:
            return None
        return answer.suggestion.pieces[0].text if answer.suggestion.pieces else b""

    def source(self, ticket: int) -> Source:
        return self.answers[ticket].source


__all__ = ["NAME", "Asked", "Desk", "Selected", "place", "question"]
