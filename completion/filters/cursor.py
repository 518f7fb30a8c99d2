"""The cursor that candidates are for: the one input of the stop rule and of every filter."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

from completion.syntax.boundaries import Extent, Place, Reach, extent_of, next_line_start, place_at
from completion.syntax.languages import Language

_NEXT_LINES = 8
"""How many lines after the cursor are compared with; a repeated suffix shows in the first ones."""


def is_word(byte: bytes) -> bool:
    """Tell whether ``byte`` can be part of a name; nothing is not."""
    return bool(byte) and (byte.isalnum() or byte == b"_" or byte[0] > 127)


_WORD_BEFORE = re.compile(rb"(?<![\w\x80-\xff])[\w\x80-\xff]*\Z")
_WORD_BEHIND = re.compile(rb"\A[\w\x80-\xff]*")


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
    suffix_truncated: bool = False
    """The document goes on behind ``suffix``."""
    least: int = 0
    """Fewest characters, blanks not counted, that are worth suggesting; 0: any."""
    _place: list[Place] = field(default_factory=list[Place], init=False, repr=False, compare=False)

    @property
    def place(self) -> Place:
        """The cursor's lexer state and line; the prefix is read at the first use."""
        if not self._place:
            self._place.append(
                place_at(
                    self.language,
                    self.before,
                    self.suffix,
                    self.tabs,
                    truncated=self.suffix_truncated,
                )
            )
        return self._place[0]

    @property
    def inside_line_end(self) -> bool:
        """The cursor is between the two bytes of a line end; it counts as before it."""
        return self.prefix.endswith(b"\r") and self.suffix.startswith(b"\n")

    @property
    def before(self) -> bytes:
        """The prefix without the half of a line end."""
        return self.prefix[:-1] if self.inside_line_end else self.prefix

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
    def between_brackets(self) -> bool:
        """A bracket was opened on the cursor's line, and right behind the cursor it is closed."""
        state = self.place.state
        if not state.stack or state.stack[-1].start < state.base - len(self.place.head):
            return False
        frame = state.stack[-1]
        return not frame.is_text and self.place.rest.lstrip().startswith(frame.closer)

    @property
    def inside_word(self) -> bool:
        """A name goes on from before the cursor to behind it."""
        return is_word(self.place.head[-1:]) and is_word(self.place.rest[:1])

    @property
    def joins_next(self) -> bool:
        """What is behind a cursor at a line's start may be the rest of a line that is begun here."""
        return self.place.between and self.suffix[:1] not in (b" ", b"\t")

    def knows(self, word: bytes) -> bool:
        """Tell whether the document has ``word``, what touches the cursor left out."""
        whole = re.compile(rb"(?<![\w\x80-\xff])" + re.escape(word) + rb"(?![\w\x80-\xff])")
        ends = len(self.prefix) - len(_WORD_BEFORE.findall(self.prefix)[0])
        begins = len(_WORD_BEHIND.findall(self.suffix)[0])
        return bool(whole.search(self.prefix, 0, ends) or whole.search(self.suffix, begins))

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
        before = self.before[: len(self.before) - len(self.place.head)].rstrip()
        return before[before.rfind(b"\n") + 1 :]
