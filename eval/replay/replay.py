"""The loop of a replay: type a key, ask, take what is right, ask again. One user, no hurry.

Who suggests is a :class:`Suggester`. Every request gives one :class:`eval.item.Answer`, whose
``data`` says what became of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from completion.errors import CaretError
from eval.item import Answer
from eval.replay.typist import Edit, Typing, Verdict, size

NO_MODEL, ASKED, UNKNOWN = "none", "asked", "unknown"
"""Whether a request went to the model; unknown where nothing says so."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What is shown at the cursor, and how it was come by."""

    edit: Edit | None
    """``None``: nothing."""
    answer: Answer = field(default_factory=Answer)
    model: str = UNKNOWN


class Suggester(Protocol):
    """Who suggests: told of every edit, asked behind it."""

    async def edited(self, before: Typing, edit: Edit) -> None:
        """Take in an edit of the document ``before``."""
        ...

    async def suggestion(self, typing: Typing) -> Suggestion:
        """Return what is shown at the cursor of ``typing``."""
        ...


Progress = Callable[[int, int], None]
"""Told, behind each request, how many characters are there and how many there will be."""


async def replay(
    typing: Typing, suggester: Suggester, progress: Progress = lambda done, whole: None
) -> list[Answer]:
    """Type the region to its end and return the answer to every request, in their order.

    1. A key is typed, and behind it a completion is asked for.
    2. One that is taken costs one key more; then it is asked again, as editors do.
    3. Anything else is typed over.

    Where the last character was typed nothing is asked any more.

    Raises:
        CaretError: the document is not the file at the end, which would be a defect here.
    """
    answers: list[Answer] = []
    document, whole = typing.document, len(typing.region)
    while not typing.is_over:
        taken: Edit | None = typing.key()
        while taken is not None:
            await suggester.edited(typing, taken)
            document = taken.applied(document)
            then = typing.after(taken)
            assert then is not None
            typing, taken = then, None
            if typing.is_over:
                break
            shown = await suggester.suggestion(typing)
            verdict, taken = typing.judge(shown.edit)
            answers.append(_kept(typing, shown, verdict, taken))
            progress(typing.done, whole)
    progress(typing.done, whole)
    if document != typing.document:
        raise CaretError("the replay did not end with the file it was to type")
    return answers


def _kept(typing: Typing, shown: Suggestion, verdict: Verdict, taken: Edit | None) -> Answer:
    brought = 0
    if taken is not None and (then := typing.after(taken)) is not None:
        brought = size(typing.region[typing.done : then.done])
    data: dict[str, Any] = {
        "at": typing.done,
        "shown": shown.edit is not None,
        "verdict": verdict.value,
        "brought": brought,
        "model": shown.model,
    }
    return replace(shown.answer, raw=None, raw_end="", ranked=(), data=data)
