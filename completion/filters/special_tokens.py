"""Sentinels that a model spells out as text end the candidate there: none reaches an editor.

What the document itself spells out is text: who edits a prompt template wants its sentinels
completed. A sentinel that the prefix begins and the candidate ends is text of the document too.
"""

from __future__ import annotations

import functools
import re

from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.healing.spelling import SPACE_MARK
from completion.prompt.templates import TEMPLATES

MAX_BYTES = 64
"""No sentinel is longer; text is searched again this far back when more of it comes."""

_PLAIN = frozenset(b"<s> </s> <bos> <sop> <filename> [gMASK] [INST] [/INST]".split())
"""Names of families that are ordinary text too: tags, type parameters, usage lines. As tokens they
end a middle by their number; spelled out they are taken for what a user would write."""

_INDEX = re.compile(rb"\[([A-Z]+)\]\Z")
_SHORTEST_HALF = 3
_HALF_BAR = re.compile(rb"<\|[A-Za-z]?\Z|<\xef\xbd\x9c[^\n<>]{0,50}\Z")
"""No language served by rules has ``<|`` as an operator, and none the full-width bar."""


def _names() -> tuple[bytes, ...]:
    """Return every sentinel of every family, as a tokenizer would spell it out."""
    found: dict[bytes, None] = {}
    for template in TEMPLATES:
        more = (template.separator, template.repository, template.bos)
        for name in (*template.stop_names, *template.tells, *filter(None, more)):
            spelled = name.removeprefix(SPACE_MARK).encode()
            if spelled not in _PLAIN:
                found[spelled] = None
    return tuple(found)


NAMES = _names()
"""What the families of :mod:`completion.prompt.templates` call their sentinels."""

SENTINEL = re.compile(
    rb"[ ]?<(?:PRE|SUF|MID|EOT)>"  # Code Llama, which puts a space before them
    rb"|<\|[A-Za-z][A-Za-z0-9_./-]{0,50}\|>"  # Qwen, CodeGemma, Granite, CodeGeeX, Llama 3
    rb"|<(?:jupyter|issue|commit|fim|file|repo)[_-](?:start|end|text|code|output|comment|closed|before"
    rb"|after|msg|prefix|suffix|middle|pad|sep|name)>"  # StarCoder and SantaCoder
    rb"|<\xef\xbd\x9c[^\n<>]{1,50}\xef\xbd\x9c>|"  # DeepSeek, between full-width bars
    + b"|".join(re.escape(name) for name in sorted(NAMES, key=len, reverse=True))
)


def find(text: bytes | bytearray, cursor: Cursor, start: int = 0) -> re.Match[bytes] | None:
    """Return the first sentinel in ``text`` from ``start`` on that is none of the document's words."""
    while found := SENTINEL.search(text, start):
        if not _is_text(found[0].lstrip(), cursor):
            return found
        start = found.end()
    return None


def half(text: bytes, cursor: Cursor) -> int:
    """Return how many bytes at the end of ``text`` are a sentinel that was begun; 0: none."""
    bar = _HALF_BAR.search(text, max(0, len(text) - MAX_BYTES))
    if bar and cursor.language is not None and not _is_begun(bar[0], cursor):
        return len(text) - bar.start()
    halves = _halves()
    for size in range(min(MAX_BYTES, len(text)), _SHORTEST_HALF - 1, -1):
        tail = text[len(text) - size :]
        if tail in halves and not _is_begun(tail, cursor):
            return size
    return 0


def _is_text(name: bytes, cursor: Cursor) -> bool:
    """Tell whether the document has ``name`` itself, or the constant that an index looks like."""
    index = _INDEX.match(name)
    if index and cursor.knows(index[1]):
        return True
    return name in cursor.prefix or name in cursor.suffix


def _is_begun(tail: bytes, cursor: Cursor) -> bool:
    """Tell whether the document spells out a sentinel that begins with ``tail``."""
    return any(name.startswith(tail) and _is_text(name, cursor) for name in NAMES) or (
        tail[:1] == b"<" and (tail in cursor.prefix or tail in cursor.suffix)
    )


@functools.cache
def _halves() -> frozenset[bytes]:
    """Return every beginning of a sentinel that is long enough to be nothing else."""
    found: set[bytes] = set()
    for name in NAMES:
        if name.startswith(b"["):
            continue  # an index that goes on
        least = _SHORTEST_HALF if name.startswith((b"<|", b"<[", b"<\xef")) else 5
        found.update(name[:size] for size in range(least, len(name)))
    return frozenset(found)


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Cut the text at the first sentinel, and one that was only begun off its end."""
    found = find(draft.text, cursor)
    return apply_halves(draft.with_text(draft.text[: found.start()]) if found else draft, cursor)


def apply_halves(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Cut sentinels that were only begun off the end, also where another cut has made it the end."""
    text = solid = draft.text.rstrip()
    while size := half(solid, cursor):
        solid = solid[: len(solid) - size].rstrip(b"\r\n")
    return draft if solid == text else draft.with_text(solid)
