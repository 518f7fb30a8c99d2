"""What is open at a place in the text, and the statement it stands in.

Records only; the lexer makes them. A frame is a named tuple, because a text has thousands of them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from completion.syntax.rules import Quote


class FrameKind(enum.Enum):
    """What kind of thing is open."""

    BRACKET = "bracket"
    BLOCK = "block"
    """A block that words make: ``def`` … ``end``."""
    STRING = "string"
    """Any text that a quote, a here-document or a regular expression opened."""
    COMMENT = "comment"
    """A block comment."""
    INTERPOLATION = "interpolation"
    """``{`` of an f-string, ``${`` of a template; what follows is code."""
    FORMAT = "format"
    """A format specification inside an interpolation; what follows is text."""
    TAG = "tag"
    """Between ``<`` and ``>`` of an element."""
    MARKUP = "markup"
    """Text between tags; no code, and no string either."""


_TEXT = frozenset((FrameKind.STRING, FrameKind.FORMAT, FrameKind.COMMENT, FrameKind.MARKUP))


class Frame(NamedTuple):
    """One thing that is open."""

    kind: FrameKind
    start: int
    """Byte offset of the bracket or of the opening quote (not of a string's prefix)."""
    text: bytes
    """The bracket, the word or the delimiter, as it opened."""
    closer: bytes
    """What closes it. A word block may be closed by other words too."""
    one_line: bool = False
    """A string that cannot go on behind the end of its line."""
    formatted: bool = False
    """It has interpolations."""
    raw: bool = False
    docstring: bool = False
    """The string is the first statement of a module, class or function."""
    hanging: bool = False
    """Nothing but blanks and a comment follow the bracket on its line."""
    block: bool = False
    """Statements follow: ``{`` of a body and no literal, or a block that words make."""
    indent: int = -1
    """Columns before the line of the statement that opened this block; -1: it is no block."""
    word: bytes = b""
    """First word of that statement (``if``, ``func``); of a bracket the word right before it."""
    quote: Quote | None = None
    """The rule that a string follows."""
    level: int = 0
    """Brackets or comments of its own kind that are open inside a text; columns of a scalar."""

    @property
    def is_text(self) -> bool:
        """What follows is text, not code."""
        return self.kind in _TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement (of Python: one logical line): its first word and how it stands, not its text."""

    start: int
    """Byte offset of its first token."""
    indent: int
    """Columns before its line, tabs expanded."""
    word: bytes
    """Its first word (the second after ``async``); empty where it begins otherwise."""
    header: bool
    """It opened a block: a colon in Python, a word of a block, ``case x:``."""
    opens: int
    """Indentation of the header whose body is still empty behind it; -1: there is none. A
    docstring does not fill a body."""
