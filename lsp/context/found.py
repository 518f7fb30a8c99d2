"""What the sources of context are asked and what they give: plain records, no document, no wire.

A source is asked about a :class:`Spot` and names pieces of files. Who gathers makes texts of them,
once they have passed the rules; so a file's pieces join, whichever sources found them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from completion.syntax.definitions import Piece
from completion.syntax.languages import Language

if TYPE_CHECKING:
    from tree_sitter import Tree

DEFINITION = "definition"
IMPORT = "import"
RECENT_EDIT = "recent_edit"
VIEWED = "viewed"
OPEN_FILE = "open_file"


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """One file of the workspace as it is now: in the editor, else on disk."""

    path: str
    """Relative to the workspace folder, with slashes."""
    data: bytes
    """UTF-8, line ends ``\\n``."""
    language: Language | None
    is_open: bool = False
    tree: Tree | None = field(default=None, compare=False)
    """Its syntax tree, where the editor's side has one of exactly this text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A cursor in a text."""

    path: str
    """Relative to the workspace folder, with slashes; of a cell, its notebook's."""
    language: Language | None
    text: bytes
    """The whole document, line ends ``\\n``."""
    offset: int
    """Where in ``text`` the cursor is, in bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Pieces of a file that a source found worth showing."""

    text: Text
    kind: str
    pieces: tuple[Piece, ...]
    """Places in ``text.data``, whole lines, in order."""
    why: str
    """For those who ask what was sent: a few words, no text."""
    name: str = ""
    """What is defined there, where that is why."""

    @property
    def core(self) -> tuple[int, int]:
        """What it is about: the last piece, before which stand the headers around it."""
        return self.pieces[-1].start, self.pieces[-1].end

    @property
    def size(self) -> int:
        """Bytes of its pieces, with line ends."""
        return sum(piece.end - piece.start + 1 for piece in self.pieces)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """A source's time: it looks at :attr:`over` between steps, and gives what it has when it is."""

    until: float
    """On the clock of ``time.monotonic``."""
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set when nobody waits for the answer any more."""

    @classmethod
    def of(cls, milliseconds: float, stopped: threading.Event | None = None) -> Clock:
        """Return a clock that runs from now."""
        until = time.monotonic() + milliseconds / 1000
        return cls(until=until, stopped=stopped or threading.Event())

    @property
    def left(self) -> float:
        """Seconds left; none when nobody waits."""
        return 0.0 if self.stopped.is_set() else max(0.0, self.until - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether to stop."""
        return self.left <= 0.0


class Files(Protocol):
    """The workspace's files. Neither method raises."""

    def read(self, path: str) -> Text | None:
        """Return the text of ``path``; None: it may not be read, or is not there."""
        ...

    def names(self, folder: str, ending: str) -> Sequence[str]:
        """Return the names of the files right in ``folder`` that end in ``ending``, in order."""
        ...


class Source(Protocol):
    """One way of finding what helps at a cursor."""

    name: str

    def find(self, spot: Spot, files: Files, clock: Clock) -> Sequence[Found]:
        """Return what was found in time, the most relevant first. May raise; others go on.

        A source that was not told something in time says so in an attribute ``lacking``.
        """
        ...


def line_start(data: bytes, at: int) -> int:
    """Return where the line of ``at`` begins."""
    return data.rfind(b"\n", 0, at) + 1


def line_end(data: bytes, at: int) -> int:
    """Return where the line of ``at`` ends, its line end left out."""
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end
