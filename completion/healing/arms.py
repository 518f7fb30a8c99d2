"""How a model is asked: the prompt's layout, and what becomes of the unfinished text at the cursor.

An arm is both, by one name. The default of a model is measured and stored with it; a request may
ask for another way of healing in the same layout, to compare.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from completion.healing.one_token import typed_word


class Heals(Enum):
    """What becomes of the unfinished text."""

    OFF = "naive"
    """It stays in the prompt as it is."""
    ONE_TOKEN = "one_token"  # noqa: S105 - no password
    """The unfinished word is generated again under a mask."""
    EXACT = "exact"
    """The law over all covers of what may still change its tokens."""


class Start(Enum):
    """Where the text to be covered begins."""

    SETTLED = ""
    """Where no continuation can change a token: for one string of prefix and middle (SPM)."""
    WORD = "word"
    """At the unfinished word: what a PSM middle may begin with."""
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of asking."""

    layout: str
    """``psm`` or ``spm``."""
    heals: Heals
    start: Start = Start.SETTLED

    def __str__(self) -> str:
        """Return its name, ``exact_psm_word``."""
        start = f"_{self.start.value}" if self.start.value else ""
        return f"{self.heals.value}_{self.layout}{start}"


ARMS = {
    str(arm): arm
    for arm in (
        Arm("psm", Heals.OFF),
        Arm("spm", Heals.OFF),
        Arm("psm", Heals.ONE_TOKEN),
        Arm("spm", Heals.ONE_TOKEN),
        Arm("spm", Heals.EXACT),
        Arm("psm", Heals.EXACT, Start.WORD),
        Arm("psm", Heals.EXACT, Start.LINE),
    )
}
"""By name."""
_USUAL = {"spm": ARMS["exact_spm"], "psm": ARMS["exact_psm_word"]}


def arm_named(name: str) -> Arm:
    """Return the arm of a name, or the usual one of a layout. Raises KeyError for neither."""
    return _USUAL.get(name) or ARMS[name]


def healing(arm: Arm, heals: Heals) -> Arm:
    """Return the arm of the same layout that ``heals`` so; ``arm`` itself where it does."""
    if arm.heals is heals:
        return arm
    if heals is Heals.EXACT:
        return _USUAL[arm.layout]
    return Arm(arm.layout, heals)


_LINE = re.compile(rb"[^\n]*\Z")
MOST_OF_LINE = 64
"""Bytes of a line beyond which its word is covered instead."""


def unfinished(prefix: bytes, start: Start) -> bytes:
    """Return the end of ``prefix`` that a middle in PSM is to begin with."""
    if start is Start.LINE:
        line = _LINE.search(prefix[-MOST_OF_LINE - 1 :])
        if line is not None and len(line[0]) <= MOST_OF_LINE:
            return line[0]
    return typed_word(prefix)
