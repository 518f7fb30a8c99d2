"""Which part of a long document the model sees: windows whose far edge moves in steps.

The prompt has to stay the same from keystroke to keystroke or the KV cache is worth nothing, so
an edge may not slide. It is chosen by content: of all line starts in the step (a quarter of the
window) it is the one with the smallest checksum. While the limit slides through the text that
choice stays until it falls out of the step or a smaller one comes in, which is about once a step;
and it needs no offset in the file, so it also holds when the client cuts the document itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

from completion.healing.vocabulary import Vocabulary

BYTES_PER_TOKEN = 6
"""Text this long a token is encoded and no more: code has 3 to 4 bytes a token."""
STEP_SHARE = 4
"""A step is one part in this many of the window."""
SLACK = 8
"""Tokens or bytes that one keystroke may add: an edge this near to moving is not called stable."""
_KEY_BYTES = 48

_LINE_START = re.compile(rb"(?<=\n)")
_WORD_START = re.compile(rb"(?<=[\s,;(){}\[\]])(?=[^\s,;(){}\[\]])")
_CHAR_START = re.compile(rb"(?<=[\x00-\xff])(?=[\x00-\x7f\xc0-\xff])")

_EDGES = (_LINE_START, _WORD_START, _CHAR_START)

Encode = Callable[[bytes], list[int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The part of a text that goes into the prompt."""

    text: bytes
    tokens: int
    whole: bool
    """Whether nothing of what was given is left out."""
    firm: bool
    """Whether the next keystroke, at most :data:`SLACK` tokens, leaves the edge where it is."""


def prefix_window(
    text: bytes, limit: int, encode: Encode, vocabulary: Vocabulary, *, truncated: bool = False
) -> Window:
    """Return the end of ``text`` within ``limit`` tokens, starting on a line where one can be had.

    ``truncated``: the document starts before ``text`` does, so that its start moves as one types.
    """
    if limit <= 0 or not text:
        return Window(text=b"", tokens=0, whole=not text, firm=True)
    reach = limit * BYTES_PER_TOKEN
    over = max(0, len(text) - reach)
    if over == 0 and not truncated:
        count = len(encode(text))
        if count <= limit:
            firm = count + SLACK <= limit and len(text) + SLACK <= reach
            return Window(text=text, tokens=count, whole=True, firm=firm)
    patterns = _EDGES if over else _EDGES[:1]
    start = _start(text, over, patterns)
    ids = encode(text[start:])
    firm = start == _start(text, over + SLACK, patterns) and len(ids) + SLACK <= limit
    while len(ids) > limit and start < len(text):
        drop = len(ids) - limit + 1
        low = start + max(1, vocabulary.length_of(ids[:drop]))
        sooner = low - vocabulary.length_of(ids[max(0, drop - SLACK) : drop])
        later = low + vocabulary.length_of(ids[drop : drop + SLACK])
        firm = drop > SLACK and _start(text, sooner) == _start(text, later) == _start(text, low)
        start = _start(text, low)
        ids = encode(text[start:])
    return Window(text=text[start:], tokens=len(ids), whole=start == 0, firm=firm)


def suffix_window(
    text: bytes, limit: int, encode: Encode, vocabulary: Vocabulary, *, truncated: bool = False
) -> Window:
    """Return the start of ``text`` within ``limit`` tokens, ending with a line where it can.

    Typing leaves the text after the cursor alone: whether the edge is firm depends on ``limit``
    only, and so is the caller's to say.
    """
    if limit <= 0 or not text:
        return Window(text=b"", tokens=0, whole=not text, firm=True)
    reach = limit * BYTES_PER_TOKEN
    if len(text) <= reach and not truncated:
        count = len(encode(text))
        if count <= limit:
            return Window(text=text, tokens=count, whole=True, firm=True)
    cut = len(text) > reach
    end = _end(text, min(len(text), reach), _EDGES if cut else _EDGES[:1])
    ids = encode(text[:end])
    while len(ids) > limit and end > 0:
        keep = vocabulary.length_of(ids[: limit - 1])
        end = _end(text, min(end - 1, keep))
        ids = encode(text[:end])
    return Window(text=text[:end], tokens=len(ids), whole=end == len(text), firm=True)


def _start(text: bytes, low: int, patterns: Sequence[re.Pattern[bytes]] = _EDGES) -> int:
    """Return the stepped start at or after ``low``: a line's, else a word's, else a character's."""
    low = min(low, len(text))
    high = low + max(1, (len(text) - low) // STEP_SHARE)
    settled = len(text) - _KEY_BYTES  # lines nearer to the cursor still change
    for pattern in patterns:
        best = min(
            (
                (_indented(text, at), crc32(text[at : at + _KEY_BYTES]), at)
                for at in (found.start() for found in pattern.finditer(text, low, high))
                if at <= settled
            ),
            default=None,
        )
        if best is not None:
            return best[2]
    while low < len(text) and text[low] & 0xC0 == 0x80:
        low += 1
    return low


def _end(text: bytes, high: int, patterns: Sequence[re.Pattern[bytes]] = _EDGES) -> int:
    """Return the stepped end at or before ``high``."""
    low = max(0, high - max(1, high // STEP_SHARE))
    for pattern in patterns:
        best = min(
            (
                (_indented(text, at), crc32(text[max(0, at - _KEY_BYTES) : at]), -at)
                for at in (found.start() for found in pattern.finditer(text, low, high))
            ),
            default=None,
        )
        if best is not None:
            return -best[2]
    while 0 < high < len(text) and text[high] & 0xC0 == 0x80:
        high -= 1
    return high


def _indented(text: bytes, at: int) -> bool:
    """Return whether a cut at ``at`` is before an indented or blank line: the second choice."""
    return text[at : at + 1] in (b" ", b"\t", b"\n", b"")
