"""What a drafter would bring, without an engine: drafts held against answers that are known. Pure.

A step reads what is known and what is drafted behind it. Drafts that are what the model says are kept,
and one token more comes of the model, as in speculative decoding (Leviathan et al., arXiv 2211.17192).
Of the model it knows recorded answers and candidates alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from completion.workspace.request import Mixing

MOST_DRAFTS = 6
"""Tokens in a row that are drafted at most: ``model.draft_tokens`` as it is by default."""

Candidates = tuple[int, ...]
"""The ids that the model holds most likely behind a token, the likeliest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request, the greedy answer to it, and what else the model held likely."""

    document: int
    """Requests while one document is typed have one number."""
    prompt: Sequence[int]
    prompt_rows: Sequence[Candidates]
    """Behind each token of the prompt."""
    cached: int = 0
    """Of the prompt's tokens, those that the request before had in common: no row is computed of them."""
    answer: Sequence[int]
    """What ends it is its last token, unless it was cut off."""
    answer_rows: Sequence[Candidates]
    """Behind each token of the answer, but for the last."""
    mixing: Mixing | None = None
    """Where the document stands in the prompt, and what is around it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What may come next, as a tree: each token behind its parent, an index before its own."""

    tokens: tuple[int, ...] = ()
    parents: tuple[int, ...] = ()
    """−1: what is known."""

    @classmethod
    def chain(cls, tokens: Iterable[int]) -> Draft:
        """Return the tree that is one path."""
        path = tuple(tokens)
        return cls(path, tuple(range(-1, len(path) - 1)))

    def accepted(self, comes: Sequence[int]) -> int:
        """Return how many tokens of what ``comes`` are a path from the root."""
        at, depth = -1, 0
        for node, (token, parent) in enumerate(zip(self.tokens, self.parents, strict=True)):
            if depth < len(comes) and parent == at and token == comes[depth]:
                at, depth = node, depth + 1
        return depth


class Drafter(Protocol):
    """What is asked for drafts, request after request in the order of typing."""

    def begin(self, request: Request) -> None:
        """Take a prompt; what it may look at of ``request`` is all but the answer."""
        ...

    def read(self, tokens: Sequence[int], rows: Sequence[Candidates]) -> None:
        """Take tokens of the answer, and the candidates that a step has brought with them.

        ``rows`` are behind those tokens that the step has read: the last of the step before it, and what
        was drafted and right. The first token of an answer comes with the prompt, and with no row.
        """
        ...

    def draft(self, most: int) -> Draft:
        """Return a draft of at most ``most`` tokens in a row."""
        ...


@dataclass(slots=True)
class Tally:
    """What a drafter brought in the steps behind each answer's first token."""

    steps: int = 0
    tokens: int = 0
    """That came in them: kept drafts, and one of the model itself a step."""
    drafted: int = 0
    kept: int = 0
    rows: Counter[int] = field(default_factory=Counter[int])
    """Steps by their rows: what is drafted, and one more."""

    @property
    def a_step(self) -> float:
        """Tokens a step; 1: nothing was right."""
        return self.tokens / max(1, self.steps)

    @property
    def right(self) -> float:
        """Share of the drafted tokens that was kept."""
        return self.kept / max(1, self.drafted)

    @property
    def rows_a_step(self) -> float:
        """Mean of the rows of a step."""
        return sum(rows * steps for rows, steps in self.rows.items()) / max(1, self.steps)

    def took(self, step: Callable[[int], float]) -> float:
        """Return the time of a token, given that of a ``step`` by its rows."""
        return sum(step(rows) * steps for rows, steps in self.rows.items()) / max(1, self.tokens)


def simulate(requests: Iterable[Request], drafter: Drafter, *, max_tokens: int) -> Tally:
    """Return what ``drafter`` brings; ``max_tokens``: where an answer is cut off that does not end."""
    tally = Tally()
    for request in requests:
        answer = request.answer
        drafter.begin(request)
        drafter.read(answer[:1], ())
        at = 1
        while at < len(answer):
            # As in the engine: one token comes of the model itself, and nothing behind the last.
            most = min(MOST_DRAFTS, max_tokens - at - 1)
            draft = drafter.draft(most) if most > 0 else Draft()
            kept = draft.accepted(answer[at:])
            came = answer[at : at + kept + 1]
            drafter.read(came, request.answer_rows[at - 1 : at + kept])
            tally.steps += 1
            tally.tokens += len(came)
            tally.drafted += len(draft.tokens)
            tally.kept += kept
            tally.rows[1 + len(draft.tokens)] += 1
            at += len(came)
    return tally
