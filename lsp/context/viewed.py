"""Where the user has looked, as a ring of chunks of files, the last first.

LSP tells of no scrolling: that a place was looked at is known of where a completion was asked for,
an edit made, a file opened or gone to. What the chunks hold is read when it is needed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from lsp.context.found import VIEWED, Clock, Files, Found, Spot
from lsp.context.windows import BLOCK, Cuts, best, line_of, query, shown

CHUNK = 64
"""Lines of a chunk, and how many chunks there are: llama.vim's ring."""
CHUNKS = 16
NEAR = 64
"""Lines around the cursor that its own file shows anyway."""

View = tuple[str, int]
"""The path of a file and which of its chunks."""


class Ring:
    """The chunks looked at last."""

    def __init__(self) -> None:
        self._chunks: OrderedDict[View, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._chunks)

    def looked(self, path: str, line: int) -> None:
        """Take notice that ``line`` of ``path`` is on the screen. Costs next to nothing."""
        view = (path, line // CHUNK)
        self._chunks[view] = None
        self._chunks.move_to_end(view)
        if len(self._chunks) > CHUNKS:
            self._chunks.popitem(last=False)

    def views(self) -> tuple[View, ...]:
        """Return the chunks, the last one first."""
        return tuple(reversed(self._chunks))


class Viewed:
    """Of each chunk the lines most like those at the cursor."""

    name = "viewed"

    def __init__(self, cuts: Cuts, views: Sequence[View]) -> None:
        """Take the ring's chunks, the last one first."""
        self._cuts, self._views = cuts, tuple(views)

    def find(self, spot: Spot, files: Files, clock: Clock) -> list[Found]:
        """Return a window of each chunk, that of the chunk looked at last first."""
        wanted = query(spot)
        out: list[Found] = []
        for path, chunk in self._views:
            if clock.over:
                break
            text = files.read(path)
            if text is None:
                continue
            cut = self._cuts.of(text)
            first = chunk * CHUNK
            if path == spot.path and abs(line_of(cut, spot.offset) - first - CHUNK // 2) < NEAR:
                continue
            for score, line in best(cut, wanted, first, first + CHUNK - BLOCK):
                why = f"looked at, {score:.2f} like the lines here"
                found = shown(text, cut, line, 2 * BLOCK, VIEWED, why)
                out += [found] if found is not None else []
                break
        return out
