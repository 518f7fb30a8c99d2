"""Which rows of a step are mixed with what: each request's document, followed as it is read.

The adapters of vLLM's two runners say which tokens of which request a step reads and where its rows
are; what is done with them is here, once. A request that names no workspace, or one that is not
held, costs one look into a dictionary, and its rows are not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from completion.workspace.drafts import propose
from completion.workspace.match import Match, Matcher
from completion.workspace.mix import Mixer
from completion.workspace.request import BARRIER, Mixing, runs_on
from completion.workspace.workspaces import Seen, Workspaces


class Follower:
    """The document of one request, as far as it is read, and what matches behind it.

    Behind what is known may stand tokens that are only supposed: drafts, of which the next step says
    how many were right. A match is looked for once, whether it drafts, is mixed in, or both.
    """

    def __init__(
        self,
        base: int,
        prompt: Sequence[int],
        seen: Seen,
        matcher: Matcher,
        after: list[int] | None = None,
    ) -> None:
        """Take the ``prompt``, and a ``matcher`` behind the document in it up to ``base``.

        ``after``: the text behind the cursor; where it is said once more, nothing matches.
        """
        self.seen = seen
        self._base = base
        self._after = after or []
        self._matcher = matcher
        self._head = len(matcher)
        self._behind = list(prompt[base:])
        self._known = len(self._behind)
        self._found: dict[int, Match | None] = {}
        """What matches behind so many tokens of ``_behind``, of the last of them."""

    @property
    def known(self) -> int:
        """How many tokens of the request are known: the prompt, and what was generated."""
        return self._base + self._known

    def read(self, ids: Iterable[int]) -> None:
        """Take tokens that were generated, in order."""
        self.suppose(ids)
        self._known = len(self._behind)
        self._found = {at: found for at, found in self._found.items() if at >= self._known}

    def suppose(self, ids: Iterable[int]) -> None:
        """Have ``ids`` stand behind what is known, instead of what was supposed before."""
        at = self._known
        for token in ids:
            if at == len(self._behind):
                self._behind.append(token)
            elif self._behind[at] != token:
                self._cut(at)
                self._behind.append(token)
            at += 1
        self._cut(at)

    def _cut(self, size: int) -> None:
        """Forget what is behind the first ``size`` tokens of those behind the base."""
        if size < len(self._behind):
            del self._behind[size:]
            if len(self._matcher) > self._head + size:
                self._matcher.cut(self._head + size)
            self._found = {at: found for at, found in self._found.items() if at <= size}

    def match(self, end: int) -> Match | None:
        """Return what matches behind the request's first ``end`` tokens, all known or supposed."""
        size = end - self._base
        if size < 0:
            return None
        if size in self._found:
            return self._found[size]
        length = self._head + size
        if length < len(self._matcher):
            self._matcher.cut(length)
        self._matcher.extend(self._behind[len(self._matcher) - self._head : size])
        found = None if runs_on(self._behind[:size], self._after) else self._matcher.find()
        if size >= self._known:
            self._found[size] = found
        return found

    def drafts(self, most: int, least: float) -> list[int]:
        """Return how the text may go on; see :func:`~completion.workspace.drafts.propose`."""
        self.suppose(())
        end = self.known

        def behind(drafts: list[int]) -> Match | None:
            self.suppose(drafts)
            return self.match(end + len(drafts))

        return propose(behind, self.seen.fit, most, least)


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
        self._alone: dict[str, Follower] = {}
        """Of requests that only have drafts."""

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
                matcher = self.workspaces.matcher(seen, document)
                follower = Follower(mixing.base, ids, seen, matcher, mixing.after(ids))
            self._followers[name] = follower
        return follower

    def drafting(self, name: str, params: Any, prompt: Callable[[], Sequence[int]]) -> Follower:
        """Return the follower that drafts for a request: of its prompt alone where nothing is mixed in.

        The prompt is then taken as text, with barriers for what is none.
        """
        follower = self.follower(name, params, prompt) or self._alone.get(name)
        if follower is None:
            ids = np.asarray(prompt(), np.int32)
            seen = self.workspaces.nothing
            document = np.where(self._mixer.kept_among(ids), BARRIER, ids)
            matcher = self.workspaces.matcher(seen, document)
            follower = Follower(len(ids), ids.tolist(), seen, matcher)
            self._alone[name] = follower
        return follower

    def forget(self, names: Iterable[str]) -> None:
        """Drop requests that ended."""
        for name in names:
            self._followers.pop(name, None)
            self._alone.pop(name, None)

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
        return len(self._followers) + len(self._alone)
