"""What is like the cursor's lines in the files that are open: who edits several does one thing."""

from __future__ import annotations

from collections.abc import Sequence

from lsp.context.found import OPEN_FILE, Clock, Files, Found, Spot
from lsp.context.windows import BLOCK, Cuts, best, query, shown

MAX_FILES = 20
"""Open files that are compared, those used last."""
PER_FILE = 2


class Opened:
    """The open files' windows that are most alike."""

    name = "open_files"

    def __init__(self, cuts: Cuts, paths: Sequence[str]) -> None:
        """Take the paths of open files, those used last first."""
        self._cuts, self._paths = cuts, tuple(paths)

    def find(self, spot: Spot, files: Files, clock: Clock) -> list[Found]:
        """Return the windows, the most alike first."""
        wanted = query(spot)
        scored: list[tuple[float, Found]] = []
        for path in [path for path in self._paths if path != spot.path][:MAX_FILES]:
            if clock.over:
                break
            text = files.read(path)
            if text is None:
                continue
            cut = self._cuts.of(text)
            for count, (score, line) in enumerate(best(cut, wanted)):
                if count == PER_FILE:
                    break
                why = f"open, {score:.2f} like the lines here"
                found = shown(text, cut, line, 2 * BLOCK, OPEN_FILE, why)
                if found is not None:
                    scored.append((score, found))
        scored.sort(key=lambda one: -one[0])
        return [found for _, found in scored]
