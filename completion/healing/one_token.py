"""The usual remedy for a cursor inside a token: generate the unfinished word again under a mask.

The word at the cursor is taken out of the prompt; the first tokens are then drawn among those that
spell it or go on from it. This leaves out all covers but one and the look-ahead factor (on random
toy models its next-byte law is off by a total variation of 0.12 on average), so exact healing is
measured against it. Bytes and ids only; the engine draws.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from completion.healing.vocabulary import Vocabulary

LONGEST = 28
"""Most bytes to back off, as in the exact method's measurement; longer words stay as typed."""
_WORD = re.compile(rb"(?: ?[A-Za-z0-9_\x80-\xff]+| )\Z")


def typed_word(prefix: bytes) -> bytes:
    """Return the unfinished word at the end of ``prefix`` with the space before it, or that alone.

    Byte-level tokenizers put one space at the start of a word's token, so it goes with the word,
    and after indentation or ``x = `` with the word that is still to come.
    """
    found = _WORD.search(prefix[-LONGEST - 2 :])
    if found is None or len(found[0]) > LONGEST:
        return b""
    return found[0]


class Speller:
    """Says which tokens may come while ``typed`` has still to be spelled."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        spelled = sorted((text, i) for i, text in enumerate(vocabulary.token_bytes) if text)
        self._texts = [text for text, _ in spelled]
        self._ids = [i for _, i in spelled]

    def count(self, typed: bytes) -> int:
        """Return how many ids :meth:`allowed` gives, without making them."""
        first = bisect_left(self._texts, typed)
        count = bisect_left(self._texts, typed + b"\xff" * 64) - first
        for size in range(1, len(typed)):  # several ids may have the same bytes
            same = bisect_right(self._texts, typed[:size]) - bisect_left(self._texts, typed[:size])
            count += same
        return count

    def allowed(self, typed: bytes) -> list[int]:
        """Return the ids whose bytes start with ``typed``, or that ``typed`` starts with."""
        first = bisect_left(self._texts, typed)
        last = first
        while last < len(self._texts) and self._texts[last].startswith(typed):
            last += 1
        ids = self._ids[first:last]
        for size in range(1, len(typed)):
            at = bisect_left(self._texts, typed[:size])
            while at < len(self._texts) and self._texts[at] == typed[:size]:
                ids.append(self._ids[at])
                at += 1
        return ids
