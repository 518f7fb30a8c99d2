"""Where the prompt may end, and which contexts a tokenizer could have written behind it.

Two questions about a tokenizer, no model:

1. :meth:`Covers.back_off`: how many bytes at the end of a text may still change their tokens. The
   text before them ends at a place that no token can span whatever is typed next, so its encoding
   is settled. The condition is on the vocabulary alone, and so holds for every split: j is such a
   place when no token agrees with the text and lies over j.
2. :meth:`Covers.contexts`: the sequences to expand first. In a canonical encoding every two
   neighbours are an encoding of their own bytes, up to the splitter's look-ahead, for which some
   continuations are tried: byte-pair merging is local, and each part of Unigram's best path is the
   best between its ends. (Of BPE there are no others; of Unigram a few, which cost a row and
   harm nothing.) Other sequences carry next to nothing, and `Law` bounds what that is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from completion.healing.sorted_vocabulary import SortedVocabulary

Ids = tuple[int, ...]
"""Tokens behind the prompt."""

MOST_BYTES = 64
"""Most bytes to back off. Most of 967 cuts in Python was 28; a line of spaces can be a kilobyte."""
_WITNESSES = (b"", b"a", b" ", b"1", b"\n", b".", b"'", b"A", b" a")
"""Continuations that make a splitter's look-ahead show: enough for GPT-2, Qwen and Tekken splits."""
_TRIED = 256
"""Leaves tried before a context is taken to have none; all of them where there are fewer."""
_SEEN_BEHIND = 12
"""Bytes behind a pair that are looked at; more would be remembered less often."""
_MOST_CONTEXTS = 64
_CONTINUATION = range(0x80, 0xC0)


class Covers:
    """The covers under one tokenizer. ``encode`` maps bytes to ids as prompts are encoded."""

    def __init__(
        self, vocabulary: SortedVocabulary, token_bytes: tuple[bytes, ...],
        encode: Callable[[bytes], list[int]],
    ) -> None:  # fmt: skip
        self._vocabulary = vocabulary
        self._bytes = token_bytes
        self._encode = encode
        self._most_from: dict[bytes, int] = {}
        for spelled in vocabulary.texts:  # of a token by its first two bytes, or its only one
            for begin in {spelled[:1], spelled[:2]}:
                self._most_from[begin] = max(self._most_from.get(begin, 1), len(spelled))
        self._neighbours = lru_cache(maxsize=1 << 16)(self._are_neighbours)
        self._leafy = lru_cache(maxsize=1 << 14)(self._has_leaf)

    def back_off(self, text: bytes) -> int:
        """Return how many bytes at the end of ``text`` are to be covered; the rest is settled.

        At most :data:`MOST_BYTES`, where the place is as good as any: the law is exact behind
        every prompt, it is only the prompt that might have been encoded otherwise.
        """
        if not text:
            return 0
        first = max(0, len(text) - MOST_BYTES - self._vocabulary.longest)
        tail = text[first:]
        place = len(tail)
        while (over := self._last_over(tail, place)) is not None:
            place = over
            if len(tail) - place >= MOST_BYTES:
                break
        return min(len(tail) - place, MOST_BYTES)

    def _last_over(self, text: bytes, place: int) -> int | None:
        """Return the last start of a token that lies over ``place``; ``None``: nothing does."""
        for start in range(place - 1, max(-1, place - self._vocabulary.longest), -1):
            if start + self._most_from.get(text[start : start + 2], 1) <= place:
                continue
            if self._reach(text, start) > place:
                return start
        return None

    def _reach(self, text: bytes, start: int) -> int:
        """Return where the longest token ends that starts at ``start`` and agrees with ``text``.

        One more than the text's length where a token goes on beyond it.
        """
        rest = text[start : start + self._vocabulary.longest]
        if start + len(rest) == len(text):
            low, high = self._vocabulary.starting_with(rest)
            if low < high and len(self._vocabulary.texts[high - 1]) > len(rest):
                return len(text) + 1
            if low < high:
                return len(text)
        for size in range(len(rest), 0, -1):
            low, high = self._vocabulary.spelling(rest[:size])
            if low < high:
                return start + size
        return start

    def contexts(self, typed: bytes, *, exact: bool = False) -> list[Ids]:
        """Return contexts behind the settled prompt that canonical encodings of ``typed`` + w have.

        Closed under prefixes, parents first, the empty one first. ``exact``: also those that spell
        all of ``typed``, which only the law of what follows needs.
        """
        found: list[tuple[Ids, int]] = [((), 0)]
        wanted: set[Ids] = {()}
        for ids, at in found:  # grows while it is walked: breadth first
            rest = typed[at:]
            if len(found) > _MOST_CONTEXTS:
                break
            if not rest:
                continue
            steps = self._vocabulary.beginning(rest)
            if exact:
                span = self._vocabulary.spelling(rest)
                steps = [*steps, (len(rest), span)] if span[0] < span[1] else steps
            for size, (low, high) in steps:
                for token in self._vocabulary.ids[low:high]:
                    left = typed[max(0, at - 3) : at]
                    behind = typed[at + size : at + size + _SEEN_BEHIND]
                    if ids and not (
                        self._neighbours(left, ids[-1], token, b"")
                        or self._neighbours(left, ids[-1], token, behind)
                    ):
                        continue
                    found.append(((*ids, token), at + size))
                    if at + size == len(typed) or self._leafy(token, typed[at + size :]):
                        wanted |= {(*ids, token)[:n] for n in range(len(ids) + 2)}
        return [ids for ids, _ in found if ids in wanted]

    def _has_leaf(self, last: int, rest: bytes) -> bool:
        """Return whether some token may follow ``last`` that reaches the end of ``rest``."""
        low, high = self._vocabulary.starting_with(rest)
        step = max(1, (high - low) // _TRIED)
        ids = self._vocabulary.ids[low:high:step]
        return any(self._neighbours(b"", last, token, b"") for token in ids)

    def _are_neighbours(self, left: bytes, first: int, second: int, behind: bytes) -> bool:
        """Return whether ``first`` and ``second`` stand side by side in some canonical encoding.

        ``left`` is what stands before, to complete a character that ``first`` begins inside of;
        ``behind`` is what is known to follow.
        """
        one, two = self._bytes[first], self._bytes[second]
        before = _lead(left + one, len(left))
        if before is None:
            return True  # inside a character, and not known of which: rather one too many
        text = before + one + two + behind
        for after in _completions(two + behind):
            for witness in _WITNESSES if _looks_ahead(two + behind) else (b"", b"a"):
                ids = self._encode(text + after + witness)
                if self._meet(ids, len(before), (first, second)):
                    return True
        return False

    def _meet(self, ids: list[int], at: int, pair: tuple[int, int]) -> bool:
        place = 0
        for number, token in enumerate(ids):
            if place == at:
                return tuple(ids[number : number + 2]) == pair
            place += len(self._bytes[token])
        return False


def _looks_ahead(token: bytes) -> bool:
    """Return whether a splitter's rule may depend on what comes behind ``token``."""
    return token[-1:].isspace() or b"'" in token[-3:]


def _lead(text: bytes, at: int) -> bytes | None:
    """Return the bytes before ``at`` that its character begins with; ``None``: they are not there."""
    start = at
    while start < len(text) and start > 0 and text[start] in _CONTINUATION:
        start -= 1
    if start < len(text) and text[start] in _CONTINUATION:
        return None
    return text[start:at]


def _completions(token: bytes) -> tuple[bytes, ...]:
    """Return what may complete a character that ``token`` ends inside of; mostly nothing."""
    for back in range(1, min(4, len(token)) + 1):
        byte = token[-back]
        if byte in _CONTINUATION:
            continue
        size = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
        missing = size - back
        if missing <= 0:
            return (b"",)
        return tuple(bytes([fill] * missing) for fill in (0xA0, 0x90, 0x80, 0xBF))
    return (b"",)
