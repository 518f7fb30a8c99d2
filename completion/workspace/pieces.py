"""Where the tokens of a file are in the log: a piece table, as text editors have it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Where the tokens of a file are in the log: one piece after the other."""

    starts: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    total: int = 0
    """Tokens of the file."""

    def between(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return the file's tokens of a half-open range as (start, size) in the log."""
        if start >= stop:
            return []
        found: list[tuple[int, int]] = []
        ends = list(accumulate(self.sizes))
        for at in range(bisect_right(ends, start), len(ends)):
            begin = ends[at] - self.sizes[at]
            if begin >= stop:
                break
            low = max(start, begin)
            found.append((self.starts[at] + low - begin, min(stop, ends[at]) - low))
        return found


def pieces(spans: list[tuple[int, int]]) -> Pieces:
    """Return the file that consists of ``spans``, each (start, size) in the log."""
    starts: list[int] = []
    sizes: list[int] = []
    for start, size in spans:
        if starts and starts[-1] + sizes[-1] == start:
            sizes[-1] += size
        else:
            starts.append(start)
            sizes.append(size)
    return Pieces(tuple(starts), tuple(sizes), sum(sizes))
