"""How often the workspace is right about its own files, each left out in turn.

The text of a sample of files is read as if it were being typed, with all other files as the
workspace, and every match is a case of :class:`~completion.workspace.fit.Tally`. It goes in slices,
between which an engine decodes. No clock decides what is read, so one workspace has one fit.
"""

from __future__ import annotations

import time
from collections.abc import Generator

from completion.workspace.fit import Fit, Tally, bucket
from completion.workspace.match import Matcher
from completion.workspace.store import Store

PLACES = 20_000
"""Tokens that are read of a workspace: a second or two, and every bucket that matters has its cases."""
SHORTEST = 64
"""Tokens that are read of a file at least, so that one look-up of its neighbours serves many."""
_GOLDEN = 0.6180339887498949  # multiples of it, less whole numbers, are spread evenly


class LeaveOneOut:
    """The fit of a workspace in the making.

    ``prior``: the model's own. ``places``: tokens to be read in all. Files that are put meanwhile
    are seen from the next file on; one that is gone by then is passed over.
    """

    def __init__(self, store: Store, prior: Fit, *, places: int = PLACES) -> None:
        self._store, self._prior, self._places = store, prior, places
        self._tally = Tally()
        self._work = self._read_all()
        self.done = False
        """Whether all has been read."""

    def step(self, budget_s: float) -> bool:
        """Read for ``budget_s`` seconds, one token at least; return :attr:`done`."""
        until = time.perf_counter() + budget_s
        while not self.done:
            self.done = next(self._work, True)
            if time.perf_counter() >= until:
                break
        return self.done

    @property
    def fit(self) -> Fit:
        """The fit from what has been read so far."""
        return self._prior.on(self._tally)

    def _read_all(self) -> Generator[bool]:
        paths = sorted(self._store.paths)
        most = max(1, self._places // SHORTEST)
        if len(paths) > most:
            paths = [paths[at * len(paths) // most] for at in range(most)]
        left = self._places
        for number, path in enumerate(paths):
            share = max(SHORTEST, left // (len(paths) - number))
            for read in self._read(path, share, (number * _GOLDEN) % 1.0):
                yield False
                left -= read

    def _read(self, path: str, most: int, offset: float) -> Generator[int]:
        try:
            text, view = self._store.read(path), self._store.view(without=path)
        except KeyError:
            return
        start = int(offset * max(0, len(text) - most))
        matcher = Matcher(view)
        matcher.extend(text[:start])
        for token in text[start : start + most].tolist():
            found = matcher.find()
            if found is not None:
                hit = found.favourite == token
                self._tally.add(bucket(found.length, found.share, found.seen), hit)
            matcher.append(token)
            yield 1
