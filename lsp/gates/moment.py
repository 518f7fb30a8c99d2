"""What the gates decide on: the document, the cursor, and what happened last."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_WORD = 200
"""Characters that are looked back over; an option asks for a hundred at most."""

_WORD = re.compile(r"\w*\Z")


def _nothing() -> str:
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A request's circumstances. What costs something to know is a function, called when needed."""

    path: str
    """Of the file (of a cell: of its notebook), relative to the workspace folder, with slashes."""
    language_id: str = ""
    size: int = 0
    """Of the whole document, in bytes of UTF-8."""
    has_nul: bool = False
    """A NUL is in it: no text that a person edits."""
    head: str = ""
    """The cursor's line before the cursor."""
    deleted: bool = False
    """The last change took something away and put nothing there, and the cursor is where it was."""
    invoked: bool = False
    """The user asked; otherwise the editor did, unasked."""
    scope: Callable[[], str] = _nothing
    """"code", "comment", "string", "docstring", or nothing where it is not known."""
    refused: Callable[[], str] = _nothing
    """Why the rules for what may leave the machine refuse this document: "ignored", "secret"…"""

    @property
    def word(self) -> str:
        """What is typed of the word that ends at the cursor."""
        found = _WORD.search(self.head[-LONGEST_WORD:])
        return found.group() if found else ""
