"""What a popup offers: names, and which of them what is typed may mean. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

_WORD = re.compile(r"\w*\Z")
_REST = re.compile(r"\w*")
_HUMP = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|[^\W_a-zA-Z0-9]+")
LONGEST_WORD = 200
"""Characters that are looked back over for the word at the cursor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """One name that may stand at a place."""

    text: str
    kind: str = ""
    """What it names, in jedi's words (``function``, ``class``, ``module``, ``param``, ``instance``,
    ``statement``, ``property``, ``keyword``); nothing where that is not known."""
    scope: str = ""
    """Where the document declares it: ``function``, ``class`` or ``file``, nearest first; nothing:
    it does not."""
    module: str = ""
    """Where it comes from, as an import would name it; nothing for the document's own."""
    path: str = ""
    """The workspace's file that declares it, relative, with slashes; nothing: no other file does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """The word at the cursor, as code-point columns of its line."""

    start: int
    """Where it begins; the cursor's column where there is none yet."""
    end: int
    """Where it ends, behind the cursor or at it."""
    typed: str
    """What stands of it before the cursor."""
    is_member: bool
    """Whether it follows a dot."""


def word_at(head: str, tail: str) -> Word | None:
    """Return the word between ``head`` and ``tail`` of a line; None: a number is typed there."""
    found = _WORD.search(head[-LONGEST_WORD:])
    typed = found.group() if found else ""
    before = head[: len(head) - len(typed)].rstrip()
    is_member = before.endswith(".") and not before.endswith("..")
    if typed[:1].isdigit() or (is_member and re.search(r"(?<![\w)\]])\d+\.\Z", before)):
        return None
    rest = _REST.match(tail)
    return Word(
        start=len(head) - len(typed),
        end=len(head) + (len(rest.group()) if rest else 0),
        typed=typed,
        is_member=is_member,
    )


class Match(IntEnum):
    """How a name agrees with what is typed, the best first."""

    PREFIX = 0
    """It begins so."""
    CASE = 1
    """It begins so in other cases."""
    FUZZY = 2
    """It has the letters in their order, the first of them where a part of the name begins."""


def match(typed: str, name: str) -> Match | None:
    """Return how ``name`` agrees with ``typed``; None: not at all."""
    if name.startswith(typed):
        return Match.PREFIX
    low, typed = name.lower(), typed.lower()
    if low.startswith(typed):
        return Match.CASE
    starts = {part.start() for part in _HUMP.finditer(name)}
    for start in sorted(starts):
        if low[start] == typed[0] and _has_in_order(low[start + 1 :], typed[1:]):
            return Match.FUZZY
    return None


def matching(names: Sequence[Name], typed: str) -> list[tuple[Name, Match]]:
    """Return the names that ``typed`` may mean, in their order, each with how; none twice."""
    found: dict[str, tuple[Name, Match]] = {}
    for name in names:
        if name.text not in found and (how := match(typed, name.text)) is not None:
            found[name.text] = (name, how)
    return list(found.values())


def _has_in_order(text: str, letters: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)
