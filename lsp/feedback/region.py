"""The lines that a suggestion stood on, followed while the document is edited.

A region begins as the cursor's line when the suggestion was offered. Whether the accepted text comes
before or after the news of it, and whatever is typed around it, it stays within the region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lsp.documents import Splice


@dataclass(kw_only=True, slots=True)
class Region:
    """Lines ``first`` to before ``end`` of a document, as it is now."""

    first: int
    end: int

    def spliced(self, splice: Splice) -> None:
        """Move with a change: what touches the region, the region takes in."""
        change = splice.added - splice.removed
        if splice.first + splice.removed <= self.first:
            self.first += change
            self.end += change
        elif splice.first < self.end:
            self.first = min(self.first, splice.first)
            self.end = max(self.end + change, splice.first + splice.added)

    def text(self, lines: Sequence[str], longest: int) -> str:
        """Return its text now, up to about ``longest`` characters."""
        found: list[str] = []
        size = 0
        for line in lines[self.first : self.end]:
            found.append(line[:longest])
            size += len(found[-1])
            if size > longest:
                break
        return "".join(found)


class Regions:
    """The regions of one document, told of its changes (:class:`lsp.documents.Follower`)."""

    def __init__(self) -> None:
        self.held: list[Region] = []

    def spliced(self, splice: Splice) -> None:
        """Take notice of a change."""
        for region in self.held:
            region.spliced(splice)

    def begin(self, line: int) -> Region:
        """Return a new region of one line."""
        region = Region(first=line, end=line + 1)
        self.held.append(region)
        return region

    def end(self, region: Region) -> None:
        """Follow one no more; it is compared by identity: two may have the same lines."""
        self.held = [other for other in self.held if other is not region]
