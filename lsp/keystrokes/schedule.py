"""Which question goes to the model and when, and what answers each request. Told the time.

For each document at most one question is with the model. A request is answered, in this order:

1. from the cache, at once;
2. by the question under way, where that may go on with what was typed behind it;
3. by a question of its own, sent when the typing pauses (:class:`~lsp.keystrokes.rhythm.Rhythm`);
   whatever was under way in the document is cancelled then.

A newer request of the document, an edit, or its end answers the ones that wait with nothing; the
same request once more waits with the first. So each is answered once, whatever an editor cancels.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lsp.keystrokes.actions import Action, Answer, Cancel, Policy, Source, Start
from lsp.keystrokes.cache import Cache, Entry, Piece, Question, Suggestion
from lsp.keystrokes.place import Place
from lsp.keystrokes.rhythm import Rhythm
from lsp.keystrokes.speculate import Speculation, Thought


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ticket:
    number: int
    question: Question
    recycles: bool = False


@dataclass(kw_only=True, slots=True)
class _Flight:
    number: int
    entry: Entry
    since: float
    ahead: bool
    """Nobody has asked for it yet."""
    tickets: list[_Ticket] = field(default_factory=list[_Ticket])
    answered: bool = False
    timed: bool = False
    abandoned: float = float("inf")
    """When it is cancelled, if nobody wants it by then."""


@dataclass(kw_only=True, slots=True)
class _Held:
    """A request that waits for a pause."""

    due: float
    question: Question
    tickets: list[_Ticket]


class Schedule:
    """All documents' requests. Each method returns what is to be done, in order."""

    def __init__(
        self, cache: Cache, rhythm: Rhythm, speculation: Speculation, policy: Policy | None = None
    ) -> None:
        self._cache, self._rhythm, self._speculation = cache, rhythm, speculation
        self.policy = policy or Policy()
        self._flights: dict[str, _Flight] = {}
        self._held: dict[str, _Held] = {}
        self._holding: dict[str, tuple[float, float]] = {}
        """Since when requests of a document wait without one being sent, and until when at most."""
        self._numbers = itertools.count(1)

    def is_under_way(self, document: str) -> bool:
        """Whether a question of ``document`` is with the model."""
        return document in self._flights

    def shown(self, place: Place) -> Suggestion | None:
        """Return what is shown at ``place``, if something is."""
        return self._cache.shown(place)

    @property
    def next_wake(self) -> float | None:
        """When :meth:`wake` has something to do, if nothing else happens before."""
        times = [held.due for held in self._held.values()]
        times += [f.abandoned for f in self._flights.values() if f.abandoned < float("inf")]
        if not self._flights and not self._held and self._speculation.due is not None:
            times.append(self._speculation.due)
        return min(times, default=None)

    def ask(self, ticket: int, question: Question, now: float) -> list[Action]:
        """Take a request."""
        document = question.place.document
        out: list[Action] = list(self._supersede(document, question))
        found = self._cache.find(question) if self.policy.reuse else None
        if found is not None:
            entry, suggestion = found
            self._show(entry, question, now)
            waiting = [*self._waiting(document), _Ticket(number=ticket, question=question)]
            self._unhold(document)
            out += [
                Answer(ticket=one.number, suggestion=suggestion, source=Source.CACHE)
                for one in waiting
            ]
            return out + self._clear_away(document, entry)
        self._cache.hide(document)
        self._speculation.stop(document)
        flight = self._flights.get(document)
        if flight is not None and self._may_serve(flight, question, now):
            return out + self._join(flight, ticket, question, now)
        one = _Ticket(number=ticket, question=question)
        held = self._held.get(document)
        if held is not None:  # the same question: all others were answered
            held.tickets.append(one)
            return out
        wait = 0.0 if question.invoked else self._rhythm.wait()
        since, until = self._holding.get(document, (now, now))
        if now > until:
            since = now
        due = min(now + wait, since + self._rhythm.waits.promoted)
        if due <= now:
            return out + self._start(_asked(question), now, [one])
        # What is under way is for another text. It ends now: nothing is gained by its going on.
        out += self._end(document)
        self._holding[document] = (since, due + self._rhythm.waits.promoted)
        self._held[document] = _Held(due=due, question=question, tickets=[one])
        return out

    def edited(
        self, document: str, cursors: Sequence[Place] | None, now: float, *, is_key: bool
    ) -> list[Action]:
        """Take notice of an edit, after which the cursor may be at one of ``cursors``.

        ``None``: anywhere. ``is_key``: something was typed, which tells of the rhythm.
        """
        if is_key:
            self._rhythm.typed(now)
        self._speculation.stop(document)
        out: list[Action] = list(self._supersede(document, None))
        flight = self._flights.get(document)
        if flight is None or (cursors is None and self.policy.reuse and not flight.ahead):
            return out
        fits = self.policy.reuse and any(
            flight.entry.typed_at(place) is not None for place in cursors or ()
        )
        if not fits:
            return out + self._end(document)
        flight.abandoned = float("inf")
        return out

    def placed(self, question: Question, now: float) -> list[Action]:
        """Take notice that the cursor was put somewhere, by no edit."""
        document = question.place.document
        is_idle = document not in self._flights and document not in self._held
        if self.policy.speculate and is_idle and self._cache.find(question) is None:
            self._speculation.placed(question, now + self._rhythm.waits.settled)
        return []

    def cancelled(self, ticket: int, now: float) -> list[Action]:
        """Take notice that the client wants no answer to ``ticket`` any more: it gets none here."""
        for document, held in list(self._held.items()):
            held.tickets = [one for one in held.tickets if one.number != ticket]
            if not held.tickets:
                del self._held[document]
        for flight in self._flights.values():
            had = len(flight.tickets)
            flight.tickets = [one for one in flight.tickets if one.number != ticket]
            if had and not flight.tickets and not flight.answered:
                flight.abandoned = now + self._rhythm.waits.grace
        return []

    def progress(
        self, number: int, pieces: Sequence[Piece], now: float, *, completion_id: str = ""
    ) -> list[Action]:
        """Take what there is of an answer by now: whole lines, which only grow."""
        flight = self._flight(number)
        if flight is None:
            return []
        self._cache.grow(flight.entry, pieces, whole=False, completion_id=completion_id)
        self._keep(flight)
        return self._serve(flight, now)

    def finished(
        self,
        number: int,
        pieces: Sequence[Piece],
        now: float,
        *,
        completion_id: str = "",
        is_known: bool = True,
    ) -> list[Action]:
        """Take the whole of an answer.

        Unless ``is_known`` there is none, for reasons that have nothing to do with the question.
        """
        flight = self._flight(number)
        if flight is None:
            return []
        del self._flights[flight.entry.question.place.document]
        if not is_known:
            return [_nothing(one) for one in flight.tickets]
        self._cache.grow(flight.entry, pieces, whole=True, completion_id=completion_id)
        self._keep(flight)
        return self._serve(flight, now)

    def wake(self, now: float) -> list[Action]:
        """Do what is due."""
        out: list[Action] = []
        for document, flight in list(self._flights.items()):
            if flight.abandoned <= now:
                out += self._end(document)
        for document, held in list(self._held.items()):
            if held.due <= now:
                del self._held[document]
                out += self._start(_asked(held.question), now, held.tickets)
        if self.policy.speculate and not self._flights and not self._held:
            thought = self._speculation.next(now)
            if thought is not None:
                out += self._start(thought, now, [])
        return out

    def closed(self, document: str) -> list[Action]:
        """Forget a document; what waits there is answered with nothing."""
        self._speculation.stop(document)
        self._cache.forget(document)
        self._holding.pop(document, None)
        return [*self._supersede(document, None), *self._end(document)]

    def reset(self) -> list[Action]:
        """Forget everything: what was answered would not be answered so any more."""
        out: list[Action] = []
        for document in {*self._flights, *self._held}:
            out += self.closed(document)
        self._cache.clear()
        self._speculation.clear()
        return out

    def _waiting(self, document: str) -> list[_Ticket]:
        held, flight = self._held.get(document), self._flights.get(document)
        return [*(held.tickets if held else ()), *(flight.tickets if flight else ())]

    def _supersede(self, document: str, question: Question | None) -> Iterator[Answer]:
        """Answer what waits with nothing, unless it is for the same question."""
        held, flight = self._held.get(document), self._flights.get(document)
        if held is not None and held.question != question:
            del self._held[document]
            yield from map(_nothing, held.tickets)
        if flight is not None:
            old = [one for one in flight.tickets if one.question != question]
            flight.tickets = [one for one in flight.tickets if one.question == question]
            yield from map(_nothing, old)

    def _unhold(self, document: str) -> None:
        """Let nobody wait in ``document``; who did is answered elsewhere."""
        self._held.pop(document, None)
        flight = self._flights.get(document)
        if flight is not None:
            flight.tickets = []

    def _clear_away(self, document: str, entry: Entry) -> list[Action]:
        """End what is under way beside ``entry``, which has answered, unless it goes on from it."""
        flight = self._flights.get(document)
        if flight is None or flight.entry is entry or flight.ahead:
            return []
        return self._end(document)

    def _may_serve(self, flight: _Flight, question: Question, now: float) -> bool:
        if question == flight.entry.question:
            return True
        asked = flight.entry.question
        if not self.policy.reuse or asked.form != question.form:
            return False
        if question.invoked and not asked.invoked:
            return False
        if (question.place.selected is None) != (asked.place.selected is None):
            return False
        typed = flight.entry.typed_at(question.place)
        if typed is None:
            return False
        sure = not typed or bool(flight.entry.pieces)
        return sure or self._rhythm.is_worth_waiting(now - flight.since)

    def _join(self, flight: _Flight, ticket: int, question: Question, now: float) -> list[Action]:
        flight.ahead, flight.abandoned = False, float("inf")
        flight.tickets.append(_Ticket(number=ticket, question=question, recycles=True))
        return self._serve(flight, now)

    def _start(self, thought: Thought, now: float, tickets: list[_Ticket]) -> list[Action]:
        document = thought.question.place.document
        out: list[Action] = self._end(document)
        for other, flight in list(self._flights.items()):
            if flight.ahead:  # somebody waits now
                out += self._end(other)
        self._holding.pop(document, None)
        number = next(self._numbers)
        self._flights[document] = _Flight(
            number=number, entry=Entry(question=thought.question), since=now, ahead=not tickets,
            tickets=tickets,
        )  # fmt: skip
        return [*out, Start(flight=number, thought=thought)]

    def _end(self, document: str) -> list[Action]:
        flight = self._flights.pop(document, None)
        if flight is None:
            return []
        return [*map(_nothing, flight.tickets), Cancel(flight=flight.number)]

    def _flight(self, number: int) -> _Flight | None:
        found = (flight for flight in self._flights.values() if flight.number == number)
        return next(found, None)

    def _keep(self, flight: _Flight) -> None:
        if not flight.entry.key and self.policy.reuse:
            self._cache.put(flight.entry)

    def _serve(self, flight: _Flight, now: float) -> list[Action]:
        """Answer who waits for ``flight``, or ask anew for whom it is wrong."""
        entry = flight.entry
        ready = entry.at(entry.question.place)
        if not flight.timed and (entry.whole or (ready is not None and not ready.is_blank)):
            flight.timed = True
            self._rhythm.latency.add(now - flight.since)
        if not flight.tickets:
            return []
        question = flight.tickets[0].question
        recycles = bool(entry.typed_at(question.place))
        shown = entry.at(question.place)
        if shown is None and question == entry.question:
            shown = Suggestion()
        if shown is None or (shown.is_blank and entry.whole and recycles):
            if not entry.whole and entry.typed_at(question.place) is not None:
                return []  # more was typed than there is yet
            tickets = [replace(one, recycles=False) for one in flight.tickets]
            flight.tickets = []
            self._rhythm.agreement.add(0.0)
            return self._start(_asked(question), now, tickets)
        if not entry.whole and (question.invoked or shown.is_blank):
            return []
        if recycles:
            self._rhythm.agreement.add(1.0)
        tickets, flight.tickets = flight.tickets, []
        flight.answered = True
        if not shown.is_blank:
            self._show(entry, question, now)
        return [
            Answer(
                ticket=one.number, suggestion=shown,
                source=Source.RECYCLED if one.recycles else Source.MODEL,
            )
            for one in tickets
        ]  # fmt: skip

    def _show(self, entry: Entry, question: Question, now: float) -> None:
        self._cache.show(entry)
        if self.policy.speculate and self.policy.reuse:
            self._speculation.shown(question, entry, now + self._rhythm.idle())


def _nothing(ticket: _Ticket) -> Answer:
    return Answer(ticket=ticket.number, suggestion=Suggestion(), source=Source.NONE)


def _asked(question: Question) -> Thought:
    return Thought(question=question, asked=question)
