"""Drafters that look a text up: n-grams of the prompt, and the workspace's store as it is served."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from completion.workspace.drafts import least_chance
from completion.workspace.fit import Fit
from completion.workspace.match import Matcher
from completion.workspace.request import BARRIER
from completion.workspace.rows import Follower
from completion.workspace.workspaces import DOCUMENT_WEIGHT, LONGEST, Seen
from eval.bench.drafted import Candidates, Draft, Drafter, Request

LONGEST_GRAM = 3
"""Of prompt lookup decoding as it was published (Saxena, 2023)."""


class NoDrafts:
    """One token a step."""

    def begin(self, request: Request) -> None:
        """Take a prompt."""

    def read(self, tokens: Sequence[int], rows: Sequence[Candidates]) -> None:
        """Take tokens."""

    def draft(self, most: int) -> Draft:
        """Return nothing."""
        return Draft()


class NGrams:
    """Prompt lookup: what followed the last n tokens where they last stood in the prompt or the answer.

    The longest of ``shortest`` to ``longest`` tokens that is found decides. ``barriers``: ids that are no
    text, which nothing reaches across.
    """

    def __init__(
        self, barriers: Collection[int], *, shortest: int = 1, longest: int = LONGEST_GRAM
    ) -> None:
        self._barriers = frozenset(barriers)
        self._sizes = range(longest, shortest - 1, -1)
        self._text: list[int] = []
        self._behind: dict[tuple[int, ...], int] = {}
        """Where what follows an n-gram begins, of its latest place that something follows."""

    def begin(self, request: Request) -> None:
        """Take a prompt."""
        self._text, self._behind = [], {}
        self._extend(request.prompt)

    def read(self, tokens: Sequence[int], rows: Sequence[Candidates]) -> None:
        """Take tokens."""
        self._extend(tokens)

    def draft(self, most: int) -> Draft:
        """Return what followed."""
        for size in self._sizes:
            at = self._behind.get(tuple(self._text[-size:]))
            if at is not None:
                follows = self._text[at : at + most]
                text = next((n for n, one in enumerate(follows) if one in self._barriers), most)
                if text:
                    return Draft.chain(follows[:text])
        return Draft()

    def _extend(self, tokens: Sequence[int]) -> None:
        for token in tokens:
            at = len(self._text)
            for size in self._sizes:
                if size <= at:
                    self._behind[tuple(self._text[at - size :])] = at
            self._text.append(token)


class Stored:
    """The workspace's store as the engine drafts from it: the same follower, match and least chance.

    ``seen``: what a request sees, by the path of its document; ``nothing``: of requests that name no
    workspace, which then match in the text of their prompt alone, and drafts come at the model's own fit.
    """

    def __init__(
        self, vocabulary: int, kept: Collection[int], nothing: Fit, seen: Mapping[str, Seen] | None
    ) -> None:
        self._vocabulary, self._kept = vocabulary, np.array(sorted(kept))
        self._nothing, self._seen = Seen(None, nothing), seen
        self._follower: Follower | None = None

    def begin(self, request: Request) -> None:
        """Take a prompt."""
        ids = np.asarray(request.prompt, np.int32)
        if self._seen is not None and request.mixing is not None:
            seen = self._seen[request.mixing.path]
            document = request.mixing.document(request.prompt, len(ids))
        else:
            seen = self._nothing
            document = np.where(np.isin(ids, self._kept), BARRIER, ids)
        matcher = Matcher(
            seen.view, document, vocabulary=self._vocabulary,
            document_weight=DOCUMENT_WEIGHT, longest=LONGEST,
        )  # fmt: skip
        self._follower = Follower(len(ids), request.prompt, seen, matcher)

    def read(self, tokens: Sequence[int], rows: Sequence[Candidates]) -> None:
        """Take tokens."""
        assert self._follower is not None
        self._follower.read(tokens)

    def draft(self, most: int) -> Draft:
        """Return what the store proposes."""
        assert self._follower is not None
        return Draft.chain(self._follower.drafts(most, least_chance(1)))


class Either:
    """The draft of the first of two drafters that has one."""

    def __init__(self, first: Drafter, second: Drafter) -> None:
        self._both = (first, second)

    def begin(self, request: Request) -> None:
        """Take a prompt."""
        for one in self._both:
            one.begin(request)

    def read(self, tokens: Sequence[int], rows: Sequence[Candidates]) -> None:
        """Take tokens."""
        for one in self._both:
            one.read(tokens, rows)

    def draft(self, most: int) -> Draft:
        """Return the first draft that there is."""
        first, second = self._both
        draft = first.draft(most)
        return draft if draft.tokens else second.draft(most)
