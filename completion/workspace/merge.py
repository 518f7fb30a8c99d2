"""Taking what is new of a token log into its index, apart from the store that goes on meanwhile."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from completion.workspace import bits as bit_set
from completion.workspace import index
from completion.workspace.bits import Bits
from completion.workspace.index import Index
from completion.workspace.log import Log, Text
from completion.workspace.pieces import Pieces


@dataclass(slots=True, eq=False)
class Merge:
    """Work of :meth:`run`: an index of the log's tokens before ``begun``, all that there were.

    Nothing here is changed by the store meanwhile, so :meth:`run` may be called in another thread.
    """

    text: Text
    begun: int
    """Where the log ended."""
    live: Bits
    vocabulary: int
    files: Mapping[str, Pieces]
    """What there was; empty where the log is not to be written anew."""
    compact: bool
    """Whether the log is written anew, without the tokens that no longer count."""
    index: Index | None = None
    """The result; none before :meth:`run`."""
    moved: dict[str, Pieces] = field(default_factory=dict)
    """Files of the new log."""
    written: Log | None = None
    """The new log, whose positions that count :attr:`live` then is."""
    _old: list[int] = field(default_factory=list)
    _new: list[int] = field(default_factory=list)

    def run(self) -> None:
        """Do the work."""
        text, stop = self.text, self.begun
        if self.compact:
            self.written = self._write()
            text, stop = self.written.text, self.written.stop
        self.index = index.build(text, self.live, stop)

    def place(self, position: int) -> int:
        """Return where a token of the old log that counted at the time is in the new one."""
        at = bisect_right(self._old, position) - 1
        return self._new[at] + position - self._old[at]

    def _write(self) -> Log:
        log = Log(self.vocabulary, sum(file.total + 1 for file in self.files.values()))
        live = bit_set.empty(len(log.text.tokens))
        padding = np.array([log.text.barrier], log.text.tokens.dtype)
        placed: list[tuple[int, int]] = []
        for path, file in self.files.items():
            if not file.total:
                continue
            begin = log.stop
            for start, size in zip(file.starts, file.sizes, strict=True):
                placed.append((start, log.stop))
                log.extend(self.text.between(start, start + size))
            bit_set.add(live, begin, log.stop)
            self.moved[path] = Pieces((begin,), (file.total,), file.total)
            log.extend(padding)
        placed.sort()
        self._old = [old for old, _ in placed]
        self._new = [new for _, new in placed]
        self.live = live
        return log
