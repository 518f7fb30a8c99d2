"""One language's rules with the patterns made of them, and what is remembered of a token."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from completion.syntax.patterns import (
    plain_lines_pattern,
    plain_run_pattern,
    quote_of,
    token_pattern,
)
from completion.syntax.rules import LexRules, Quote

Opening = tuple[Quote, bytes, bytes]
"""A string's rule, its closer, and its delimiter without prefix letters."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """One language's rules with the patterns made of them."""

    rules: LexRules
    token: re.Pattern[bytes]
    lines: re.Pattern[bytes] | None
    run: re.Pattern[bytes] | None
    structured: bool
    """Blocks are made by braces or words, and statements end inside of them."""
    sigils: bool
    """Words may have other bytes in them than letters, digits and underscores."""
    openings: dict[bytes, Opening]
    """By the text that opens a string; filled as they are met."""

    def opening(self, data: bytes, start: int, end: int) -> Opening:
        """Return what ``data[start:end]``, which opens a string, begins."""
        text = data[start:end]
        found = self.openings.get(text)
        if found is None:
            if len(self.openings) > 1024:
                self.openings.clear()  # delimiters can be made up without end
            quote, closer = quote_of(self.rules, data, start, end)
            delimiter = text if not text.endswith(closer) else closer
            found = quote, closer, delimiter
            self.openings[text] = found
        return found


@functools.cache
def reading_of(rules: LexRules) -> Reading:
    """Return the patterns of a language, made at the first use."""
    return Reading(
        rules=rules,
        token=token_pattern(rules),
        lines=plain_lines_pattern(rules),
        run=plain_run_pattern(rules),
        structured=rules.blocks in ("brace", "end"),
        sigils=rules.word != rb"[A-Za-z_0-9\x80-\xff]++",
        openings={},
    )


LAST_WORD = re.compile(rb"[A-Za-z_0-9\x80-\xff]++\Z")
_LONGEST_WORD = 64
"""Bytes that are looked back over for a word; keywords are shorter."""
_DIGITS = b"0123456789"


def word_before(data: bytes, start: int, end: int) -> bytes:
    """Return the word that ``data[start:end]`` ends with; a number or a member is none."""
    found = LAST_WORD.search(data, max(start, end - _LONGEST_WORD), end)
    if found is None or data[found.start()] in _DIGITS:
        return b""
    at = found.start()
    return b"" if at and data[at - 1 : at] == b"." else found.group()


PAIRS = frozenset((b"=>", b"->", b"&&", b"||", b"++", b"--", b"!!"))
"""Operators of which both bytes are remembered as the last ones of a text."""


def tail_of(text: bytes) -> bytes:
    """Return what is remembered of a token: its last byte, or both of a pair that tells more."""
    return text[-2:] if text[-2:] in PAIRS else text[-1:]
