"""What is open at a place in the text, and the logical line it stands in.

Records only; the lexer makes them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class FrameKind(enum.Enum):
    """What kind of thing is open."""

    BRACKET = "bracket"
    STRING = "string"
    INTERPOLATION = "interpolation"
    """``{`` of an f-string; what follows is code."""
    FORMAT = "format"
    """A format specification inside an interpolation; what follows is text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One thing that is open: a bracket, a string, an interpolation or its format."""

    kind: FrameKind
    start: int
    """Byte offset of the bracket or of the opening quote (not of the string's prefix)."""
    text: bytes
    """The bracket or the delimiter, as it opened."""
    formatted: bool = False
    raw: bool = False
    docstring: bool = False
    """The string is the first statement of a module, class or function."""
    hanging: bool = False
    """Nothing but blanks and a comment follow the bracket on its line."""

    @property
    def closer(self) -> bytes:
        """What closes it."""
        if self.kind is FrameKind.STRING:
            return self.text
        return {b"(": b")", b"[": b"]"}.get(self.text, b"}")

    @property
    def is_text(self) -> bool:
        """What follows is text of a string, not code."""
        return self.kind in (FrameKind.STRING, FrameKind.FORMAT)

    @property
    def one_line(self) -> bool:
        """A string that cannot go on behind the end of its line."""
        return self.kind is FrameKind.STRING and len(self.text) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One logical line: its first word and how it stands, but not its text."""

    start: int
    """Byte offset of its first token."""
    indent: int
    """Columns before it, tabs expanded."""
    word: bytes
    """Its first word (the second after ``async``); empty where it begins otherwise."""
    header: bool
    """It ends in the colon that opens a block."""
    opens: int
    """Indentation of the header whose body is still empty behind it; -1: there is none. A
    docstring does not fill a body."""
