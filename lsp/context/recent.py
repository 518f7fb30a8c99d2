"""Where the user has edited, the last place first: what was changed there is often changed here.

A hunk is a few lines of a document, moved along by the edits above it; what it holds is read when
it is needed, so an edit costs a comparison of numbers. When a document is closed its hunks stay,
until somebody else writes the file.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from lsp.context.found import RECENT_EDIT, Clock, Files, Found, Spot
from lsp.context.windows import Cuts, line_of, shown
from lsp.documents import Splice

AROUND = 2
"""Lines shown above and below an edit."""
JOIN = 6
"""Edits no further apart, in lines, are one hunk."""
PER_FILE = 6
MAX_HUNKS = 24
LONGEST = 24
"""Lines; a longer one is a paste or a checkout, and not what somebody is at."""
NEAR = 40
"""Lines around the cursor that its own file shows anyway."""


@dataclass(kw_only=True, slots=True)
class _Hunk:
    first: int
    end: int
    """Lines, the second one behind the last."""
    at: int
    """When it was edited last: edits are counted."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """A place that was edited: lines ``first`` to before ``end`` of ``path``."""

    path: str
    first: int
    end: int


class Edits:
    """The hunks of all documents, by path."""

    def __init__(self) -> None:
        self._files: dict[str, list[_Hunk]] = {}
        self._clock = itertools.count()

    def edited(self, path: str, splice: Splice) -> None:
        """Take notice of a change of the lines of ``path``. An editor waits for it."""
        if splice.removed == splice.added == 0:
            return
        hunks = self._files.setdefault(path, [])
        first, end = splice.first, splice.first + splice.removed
        shift = splice.added - splice.removed
        now = _Hunk(first=first, end=first + splice.added, at=next(self._clock))
        kept: list[_Hunk] = []
        for hunk in hunks:
            if hunk.end <= first:
                moved = hunk
            elif hunk.first >= end:
                moved = _Hunk(first=hunk.first + shift, end=hunk.end + shift, at=hunk.at)
            else:
                moved = _Hunk(
                    first=min(hunk.first, first), end=max(hunk.end + shift, now.end), at=hunk.at
                )
            if moved.first <= now.end + JOIN and now.first <= moved.end + JOIN:
                low, high = min(moved.first, now.first), max(moved.end, now.end)
                if high - low <= LONGEST:
                    now = _Hunk(first=low, end=high, at=now.at)
                    continue
            if moved.first < now.end and now.first < moved.end:
                continue  # overwritten, and too long to be one with it
            kept.append(moved)
        if now.end - now.first <= LONGEST:
            kept.append(now)
        kept.sort(key=lambda one: -one.at)
        self._files[path] = kept[:PER_FILE]

    def forget(self, path: str) -> None:
        """Forget the hunks of ``path``: its text has been replaced by who knows what."""
        self._files.pop(path, None)

    def hunks(self) -> tuple[Hunk, ...]:
        """Return the hunks, the last one first."""
        every = [(one.at, path, one) for path, found in self._files.items() for one in found]
        every.sort(key=lambda one: -one[0])
        for path in [p for p in self._files if p not in {q for _, q, _ in every[:MAX_HUNKS]}]:
            del self._files[path]
        return tuple(Hunk(path, one.first, one.end) for _, path, one in every[:MAX_HUNKS])


class Recent:
    """The lines around each edit, as they are now."""

    name = "recent_edits"

    def __init__(self, cuts: Cuts, hunks: Sequence[Hunk]) -> None:
        """Take the hunks, the last one first."""
        self._cuts, self._hunks = cuts, tuple(hunks)

    def find(self, spot: Spot, files: Files, clock: Clock) -> list[Found]:
        """Return what stands at each place, that edited last first."""
        out: list[Found] = []
        for age, hunk in enumerate(self._hunks):
            if clock.over:
                break
            text = files.read(hunk.path)
            if text is None:
                continue
            cut = self._cuts.of(text)
            if hunk.path == spot.path:
                here = line_of(cut, spot.offset)
                if hunk.first - NEAR <= here <= hunk.end + NEAR:
                    continue
            first = max(0, hunk.first - AROUND)
            count = hunk.end + AROUND - first
            why = f"edited, {age} places ago" if age else "edited last"
            found = shown(text, cut, first, count, RECENT_EDIT, why)
            out += [found] if found is not None else []
        return out
