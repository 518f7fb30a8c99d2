"""What is asked for ahead of time: the completion behind what is shown, and where a cursor was put.

Of each document one thought at a time, thought only while nobody types and nothing else is asked
for. It is given up at the next key; what it has found is in the cache then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lsp.keystrokes.cache import Cache, Entry, Piece, Question


@dataclass(frozen=True, kw_only=True, slots=True)
class Thought:
    """A question for the model, asked by somebody or not yet."""

    question: Question
    asked: Question
    """The request in whose document it was thought of; the question itself, where that was asked."""
    after: Piece | None = None
    """It is that of a document in which this has been accepted; ``None``: of the document as it is."""
    replace_before: int = 0
    """Bytes before the cursor that ``after`` takes the place of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Armed:
    due: float
    question: Question
    entry: Entry | None = None


class Speculation:
    """What may be thought of next; told the time, it never asks for it."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._armed: dict[str, _Armed] = {}

    def shown(self, question: Question, entry: Entry, due: float) -> None:
        """Think, at ``due``, of what comes when all of what is shown of ``entry`` is accepted."""
        armed = _Armed(due=due, question=question, entry=entry)
        self._armed[question.place.document] = armed

    def placed(self, question: Question, due: float) -> None:
        """Think, at ``due``, of what comes where the cursor was put."""
        self._armed[question.place.document] = _Armed(due=due, question=question)

    def stop(self, document: str) -> None:
        """Give up what was to be thought of in ``document``."""
        self._armed.pop(document, None)

    def clear(self) -> None:
        """Give up everything."""
        self._armed.clear()

    @property
    def due(self) -> float | None:
        """When there is something to think of next."""
        return min((armed.due for armed in self._armed.values()), default=None)

    def next(self, now: float) -> Thought | None:
        """Return what is due, if its answer is not known yet; it is not due any more then."""
        for document, armed in list(self._armed.items()):
            if armed.due <= now:
                del self._armed[document]
                thought = _thought(armed)
                if thought is not None and self._cache.find(thought.question) is None:
                    return thought
        return None


def _thought(armed: _Armed) -> Thought | None:
    question = replace(armed.question, invoked=False)
    if armed.entry is None:
        return Thought(question=question, asked=armed.question)
    shown = armed.entry.at(question.place)
    if shown is None or shown.is_blank or not shown.whole:
        return None
    piece, place = shown.pieces[0], question.place
    if shown.replace_before:
        place = place.without_selected()
    place = place.ahead(piece.text, piece.replace_after)
    return Thought(
        question=replace(question, place=place), asked=armed.question, after=piece,
        replace_before=shown.replace_before,
    )  # fmt: skip
