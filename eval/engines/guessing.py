"""What guessing without a model shares: how far an answer goes, and what of it is there already.

Knows no engine and no suite; bytes in, bytes out.
"""

from __future__ import annotations

from collections.abc import Sequence

from completion.syntax.boundaries import Reach, extent_at
from completion.syntax.languages import language_for
from eval.item import Answer, Ask, Item

MOST_LINES = 32
"""Lines of a block that is guessed; a method of this length is rare and a right guess rarer."""
KEPT = 1 << 18
"""Bytes of a text that are looked at, those nearest to the cursor: what is farther away says
little, and a file of many megabytes shall cost no more than a long module."""


def wants_block(item: Item, ask: Ask) -> bool:
    """Return whether several lines are asked for; for ``auto`` the server's own syntax decides."""
    if ask.lines != "auto":
        return ask.lines == "multi"
    language = language_for(item.language, item.path)
    extent = extent_at(language, item.prefix[-KEPT:], item.suffix[:KEPT])
    return extent.reach is Reach.BLOCK


def rest_of_line(item: Item) -> bytes:
    """Return what stands behind the cursor on its line, without the line end.

    At the start of a line that is nothing: what follows there is the next line, before which one
    of its own is missing.
    """
    if opens_a_line(item):
        return b""
    return item.suffix.split(b"\n", 1)[0].removesuffix(b"\r")


def opens_a_line(item: Item) -> bool:
    """Return whether the cursor is at the very start of a line that has something on it."""
    at_start = not item.prefix or item.prefix.endswith(b"\n")
    return at_start and item.suffix[:1] not in (b"", b"\n", b"\r")


def as_line(text: bytes, item: Item) -> bytes:
    """Return the guess with a line end where the next line follows at once."""
    if not text or text.endswith(b"\n") or not opens_a_line(item):
        return text
    return text + (item.eol.encode() or b"\n")


def without_rest(text: bytes, rest: bytes) -> bytes:
    """Return the guess for a line without the end of it that is behind the cursor already.

    It ends before the last place where it goes on as ``rest`` does; where it never does exactly,
    before the last place where it does so for longest.
    """
    wanted = rest.strip()
    if not wanted:
        return text
    low, high = 0, len(wanted)  # a piece that occurs has all its beginnings occur
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if wanted[:middle] in text else (low, middle - 1)
    if not low:
        return text
    kept = text[: text.rindex(wanted[:low])]
    blanks = len(rest) - len(rest.lstrip())
    return kept[: len(kept) - blanks] if blanks and kept.endswith(rest[:blanks]) else kept


def guess(text: bytes, ranked: Sequence[bytes] = ()) -> Answer:
    """Return the answer that consists of ``text``: raw and cut are one. Empty: no suggestion."""
    return Answer(
        raw=text, cut=text or None, raw_end="model", cut_end="model" if text else "",
        declined="" if text else "nothing to copy", ranked=tuple(ranked),
    )  # fmt: skip


SILENT = Answer(declined="no guess")
"""Of a baseline that does not answer at all."""
