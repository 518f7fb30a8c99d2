"""Which rows of a step are mixed with what: each request's document, followed as it is read.

The adapters of vLLM's two runners say which tokens of which request a step reads and where its rows
are; what is done with them is here, once. A request that names no workspace, or one that is not
held, costs one look into a dictionary, and its rows are not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from completion.workspace.match import Match, Matcher
from completion.workspace.mix import Mixer
from completion.workspace.request import Mixing
from completion.workspace.workspaces import Seen, Workspaces


class Follower:
    """The document of one request, as far as it is read, and what matches behind it."""

    def __init__(self, mixing: Mixing, prompt: Sequence[int], seen: Seen, matcher: Matcher) -> None:
        """Take the ``prompt``, and a ``matcher`` behind the document in it up to the base."""
        self.seen = seen
        self._base = mixing.base
        self._matcher = matcher
        self._head = len(matcher)
        self._behind = list(prompt[mixing.base :])

    @property
    def known(self) -> int:
        """How many tokens of the request are known: the prompt, and what was generated."""
        return self._base + len(self._behind)

    def read(self, ids: Iterable[int]) -> None:
        """Take tokens that were generated, in order."""
        self._behind.extend(ids)

    def match(self, end: int) -> Match | None:
        """Return what matches behind the request's first ``end`` tokens, all known."""
        if end < self._base:
            return None
        length = self._head + end - self._base
        if length < len(self._matcher):
            self._matcher.cut(length)
        self._matcher.extend(self._behind[len(self._matcher) - self._head : end - self._base])
        return self._matcher.find()


class Row(NamedTuple):
    """One row: behind how many tokens of whose document it stands."""

    follower: Follower
    end: int


class RowMixer:
    """Mixes rows of the requests of one engine core."""

    def __init__(self, workspaces: Workspaces, mixer: Mixer) -> None:
        self.workspaces = workspaces
        self._mixer = mixer
        self._followers: dict[str, Follower | None] = {}

    def follower(
        self, name: str, params: Any, prompt: Callable[[], Sequence[int]]
    ) -> Follower | None:
        """Return the follower of a request; ``None``: nothing is mixed into its rows.

        ``params`` are vLLM's sampling parameters; ``prompt`` gives its ids when they are needed.
        """
        if name in self._followers:
            return self._followers[name]
        follower = None
        mixing = Mixing.of(params)
        if mixing is not None:
            seen = self.workspaces.see(mixing)
            if seen is not None:
                ids = prompt()
                document = mixing.document(ids, mixing.base)
                follower = Follower(mixing, ids, seen, self.workspaces.matcher(seen, document))
            self._followers[name] = follower
        return follower

    def forget(self, names: Iterable[str]) -> None:
        """Drop requests that ended."""
        for name in names:
            self._followers.pop(name, None)

    def mix(self, logits: Tensor, rows: Sequence[Row | None]) -> Tensor:
        """Return ``logits`` with the workspaces mixed into ``rows``, one a row, (rows, V).

        In place where they are float32; a model's shorter numbers are widened first, for a
        mixture is not to be rounded to them.
        """
        found = [None if row is None else row.follower.match(row.end) for row in rows]
        if not any(match is not None for match in found):
            return logits
        fits = [None if row is None else row.follower.seen.fit for row in rows]
        logits = logits.float()
        self._mixer.mix(logits, found, fits)  # type: ignore[arg-type]
        return logits

    def __len__(self) -> int:
        """Return how many requests are followed."""
        return len(self._followers)
