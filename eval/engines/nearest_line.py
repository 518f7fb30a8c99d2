"""The baseline that copies: what followed the line most like the cursor's, in file and related.

Similarity is rapidfuzz's normalised indel similarity (``fuzz.ratio``) of the line up to the cursor
and of the lines above it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from rapidfuzz import fuzz, process

from eval.engines.base import Engine, Identity
from eval.engines.guessing import (
    KEPT,
    MOST_LINES,
    as_line,
    guess,
    rest_of_line,
    wants_block,
    without_rest,
)
from eval.item import Answer, Ask, Item, Related

ABOVE = (1.0, 0.5, 0.25)
"""Weights of the similarity of the lines above the cursor's, the nearest first; blank lines do not
count. The cursor's own line, where it has text, weighs :data:`HEAD`."""
HEAD = 4.0
"""More than all lines above together: what is being written says most."""
INDENTED = 50.0
"""For a match that would be indented as the cursor's line is."""
_BLANKS = " \t\r\f\v"
"""Not ``str.strip``'s own: in latin-1 that takes the end off some characters."""
_WORD = re.compile(r"[\w\x80-\xff]+|[^\w\x80-\xff\s]", re.ASCII)
_MOST_ANCHORS = 12
_RANKED_POOL = 400


class NearestLine(Engine):
    """Copies what followed the most similar line; of equals, the nearest to the cursor."""

    name = "nearest-line"

    async def start(self) -> Identity:
        """Return who this is; there is nothing to load."""
        return Identity(name=self.name, version=f"1 (rapidfuzz {version('rapidfuzz')})")

    async def answer(self, item: Item, ask: Ask) -> Answer:
        """Answer with the copied text; ``ranked`` has the next different ones."""
        found = await asyncio.to_thread(_copies, item, ask)
        return guess(found[0] if found else b"", found[: ask.candidates])


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines of one text, blank ones left out of ``solid``; latin-1, so a character is a byte."""

    all: list[str]
    solid: list[int]
    """Indices into ``all``."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place to copy from: behind ``column`` of a solid line of a text."""

    text: int
    solid: int
    column: int
    score: float
    distance: int
    """Lines to the cursor; the related texts are behind all lines of the file."""


def _copies(item: Item, ask: Ask) -> list[bytes]:
    """Return the texts to copy, the best first, different from each other, none empty."""
    prefix = item.prefix[-KEPT:].decode("latin-1")
    above, _, head = prefix.rpartition("\n")
    rest = rest_of_line(item)
    below = item.suffix[:KEPT].decode("latin-1").partition("\n")[2]
    texts = [_split(above), _split(below)]
    texts += [_split(r.text[:KEPT].decode("latin-1")) for r in _by_relevance(item)]
    context = [texts[0].all[i].strip(_BLANKS) for i in reversed(texts[0].solid[-len(ABOVE) :])]
    block = wants_block(item, ask) and not rest.strip()
    indents = {_blanks(line) for lines in texts[:2] for line in lines.all}
    out: dict[bytes, None] = {}
    for spot in _spots(texts, head, context):
        copied = _copy(texts[spot.text], spot, head, texts[0], indents, block)
        made = as_line(without_rest(_with_ends(copied, item.eol), rest), item)
        if made:
            out[made] = None
        if len(out) >= max(1, ask.candidates):
            break
    return list(out)


def _by_relevance(item: Item) -> list[Related]:
    return sorted(item.related, key=lambda related: -related.relevance)


def _split(text: str) -> _Lines:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return _Lines(lines, [i for i, line in enumerate(lines) if line.strip(_BLANKS)])


def _with_ends(text: str, eol: str) -> bytes:
    return text.encode("latin-1").replace(b"\n", eol.encode() or b"\n")


def _spots(texts: list[_Lines], head: str, context: list[str]) -> Iterator[_Spot]:
    """Yield the places to copy from, the most similar first."""
    typed = head.strip(_BLANKS)
    found: list[_Spot] = []
    offset = 0
    for number, lines in enumerate(texts):
        if not lines.solid:
            continue
        bodies = [lines.all[i].strip(_BLANKS) for i in lines.solid]
        similar = _similar_above(bodies, context)
        if typed:
            columns = _columns(bodies, head.lstrip(_BLANKS))
            for at, column in columns.items():
                begun = bodies[at][:column]
                score = HEAD * fuzz.ratio(begun, head.lstrip(_BLANKS)) + similar[at]
                far = _distance(number, lines, at, offset)
                found.append(_Spot(number, at, column, score, far))
        else:
            # Line `at` followed lines like those above the cursor.
            candidates = range(len(bodies)) if context else range(min(1, len(bodies)))
            for at in candidates:
                score = float(similar[at])
                if score and head and _moved(lines, at, texts[0]) == head:
                    score += INDENTED
                if score or not context:
                    far = _distance(number, lines, at, offset)
                    found.append(_Spot(number, at, 0, score, far))
        offset += len(lines.all)
    return iter(sorted(found, key=lambda s: (-s.score, s.distance))[:_RANKED_POOL])


def _distance(number: int, lines: _Lines, at: int, offset: int) -> int:
    """Return the lines between a line and the cursor; ``offset``: lines of the texts before."""
    line = lines.solid[at]
    if number == 0:
        return len(lines.all) - line
    return line + 1 if number == 1 else offset + line


def _similar_above(bodies: list[str], context: list[str]) -> np.ndarray:
    """Return for each line how much what is above it is like ``context``, 0 to 100 a weight."""
    total = np.zeros(len(bodies))
    if context:
        ratios = process.cdist(context, bodies, scorer=fuzz.ratio, dtype=np.float32)
        for back, weight in enumerate(ABOVE[: len(context)], 1):
            total[back:] += weight * ratios[back - 1][: len(bodies) - back]
    return total


def _columns(bodies: list[str], head: str) -> dict[int, int]:
    """Return, for the lines that have the end of ``head``, the column behind it.

    The longest end that begins at a word or sign of ``head`` counts, at its first place.
    """
    starts = [match.start() for match in _WORD.finditer(head)][-_MOST_ANCHORS:]
    columns: dict[int, int] = {}
    for start in starts:
        anchor = head[start:]
        for at, body in enumerate(bodies):
            if at in columns:
                continue
            place = body.find(anchor)
            while place > 0 and _is_word(anchor[0]) and _is_word(body[place - 1]):
                place = body.find(anchor, place + 1)  # the end of another word
            if place >= 0:
                columns[at] = place + len(anchor)
    return columns


def _copy(
    lines: _Lines, spot: _Spot, head: str, above: _Lines, indents: set[str], block: bool
) -> str:
    """Return the text behind a spot, indented as the cursor's place is.

    ``indents``: those of the file; blanks before the cursor that are none of them are a part of
    one, and the copy brings the rest.
    """
    index = lines.solid[spot.solid]
    line = lines.all[index]
    indent = _blanks(line)
    if head.strip(_BLANKS):
        new, floor = _blanks(head), len(indent) + 1
        first = line.strip(_BLANKS)[spot.column :]
    else:
        moved = _moved(lines, spot.solid, above)
        whole = bool(head) and (head in indents or not moved.startswith(head))
        new, floor = head if whole else moved, len(indent)
        first = new[len(head) :] + line.strip(_BLANKS)
    if not block:
        return first
    out = [first]
    for further in lines.all[index + 1 : index + MOST_LINES]:
        own, solid = _blanks(further), further.strip(_BLANKS)
        if solid and len(own) < floor:
            break
        out.append(new + own[len(indent) :] + solid if solid else "")
    return "\n".join(out).rstrip("\n")


def _moved(lines: _Lines, at: int, above: _Lines) -> str:
    """Return the indentation of a new line: as its match is indented against the line above it."""
    indent = _blanks(lines.all[lines.solid[at]])
    if not at or not above.solid:
        return indent
    before = _blanks(lines.all[lines.solid[at - 1]])
    ours = _blanks(above.all[above.solid[-1]])
    step = len(indent) - len(before)
    return ours[:step] if step < 0 else ours + indent[len(before) :]


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_" or character >= "\x80"


def _blanks(line: str) -> str:
    return line[: len(line) - len(line.lstrip(_BLANKS))]
