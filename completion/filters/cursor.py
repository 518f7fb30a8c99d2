"""The cursor that candidates are for: the one input of the stop rule and of every filter."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from completion.syntax.boundaries import Extent, Place, Reach, extent_of, next_line_start, place_at
from completion.syntax.languages import Language

_NEXT_LINES = 8
"""How many lines after the cursor are compared with; a repeated suffix shows in the first ones."""


class Lines(enum.Enum):
    """How many lines are asked for; values are those of the wire contract."""

    AUTO = 0
    SINGLE = 1
    MULTI = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in a document, and what is wanted there. Read once; share it between candidates."""

    prefix: bytes
    suffix: bytes
    language: Language | None = None
    lines: Lines = Lines.AUTO
    eol: bytes = b"\n"
    """The document's own line end."""
    tab_size: int = 0
    """Columns; 0: unknown, 8 as Python counts."""
    insert_spaces: bool = True
    scope: str = ""
    """The client's syntax at the cursor; it sees the whole document where ``prefix`` is cut."""
    _place: list[Place] = field(default_factory=list[Place], init=False, repr=False, compare=False)

    @property
    def place(self) -> Place:
        """The cursor's lexer state and line; the prefix is read at the first use."""
        if not self._place:
            self._place.append(place_at(self.language, self.prefix, self.suffix, self.tabs))
        return self._place[0]

    @property
    def tabs(self) -> int:
        """Columns of a tab."""
        return self.tab_size or 8

    @property
    def extent(self) -> Extent:
        """How far a completion goes here when nothing else is asked for."""
        if self.scope in ("comment", "string", "docstring"):
            reason = "comment" if self.scope == "comment" else "string"
            return Extent(reach=Reach.LINE, reason=reason)
        return extent_of(self.language, self.place, self.suffix, self.tabs)

    @property
    def at_line_end(self) -> bool:
        """Nothing but blanks follow on the cursor's line."""
        return not self.place.rest.strip()

    @property
    def inside_word(self) -> bool:
        """A name goes on from before the cursor to behind it."""
        around = self.place.head[-1:], self.place.rest[:1]
        return all(byte and (byte.isalnum() or byte == b"_" or byte[0] > 127) for byte in around)

    def next_lines(self) -> tuple[bytes, ...]:
        """Return the next lines after the cursor's that are not blank, trailing blanks removed."""
        found: list[bytes] = []
        pos = next_line_start(self.suffix, self.place)
        while 0 <= pos < len(self.suffix) and len(found) < _NEXT_LINES:
            end = self.suffix.find(b"\n", pos)
            end = end if end >= 0 else len(self.suffix)
            line = self.suffix[pos:end].rstrip()
            if line:
                found.append(line)
            pos = end + 1
        return tuple(found)

    def line_above(self) -> bytes:
        """Return the last line before the cursor's that is not blank, or nothing."""
        before = self.prefix[: len(self.prefix) - len(self.place.head)].rstrip()
        return before[before.rfind(b"\n") + 1 :]
