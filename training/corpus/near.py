"""Near duplicates: MinHash signatures of token 5-grams, and an index of those that were kept.

The signature of a text depends on the text alone. Of two near duplicates the first stays, so what
is dropped depends on the order of the texts and on nothing else. The signatures themselves stay in
:class:`~training.corpus.marks.Marks`, on disk; in memory the index has its buckets, about 3 kB a
kept document, and grows with nothing else.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import Any

import numpy as np
from datasketch import MinHash, MinHashLSH
from datasketch.storage import DictSetStorage

from training.corpus.marks import PERMUTATIONS, Marks

GRAM = 5
"""Tokens of one shingle."""
JACCARD = 0.7
"""Estimated share of common shingles from which on two texts count as the same."""
BANDS = (32, 8)
"""Bands and rows of each: all 256 permutations. A pair at 0.7 is found in 85 % of the cases, one at
0.8 in 99.6 %; the pairs below 0.7 that it also finds are compared and let through."""
_BLOCK = 256
"""Shingles hashed at once: what fits a core's cache; the whole file at once takes half as long again."""
_TOKEN = re.compile(rb"\w+|[^\w\s]")
_WEIGHTS = [np.uint64(pow(0x9E3779B97F4A7C15, i + 1, 2**64)) for i in range(GRAM)]
_SCHEME = "affine32"
_EMPTY = MinHash(PERMUTATIONS, hashfunc=int, scheme=_SCHEME)


def signature(text: str) -> np.ndarray:
    """Return the MinHash of the token 5-grams of ``text``: :data:`PERMUTATIONS` numbers, uint32.

    A token is a run of letters, digits and underscores, or one other character that is no blank.
    A text of fewer than five tokens has one shingle.
    """
    tokens = _TOKEN.findall(text.encode("utf-8"))
    hashes = np.fromiter(map(zlib.crc32, tokens), dtype=np.uint64, count=len(tokens))
    length = max(1, len(tokens) - GRAM + 1)
    grams = np.zeros(length, dtype=np.uint64)
    for place, weight in enumerate(_WEIGHTS[: len(tokens)]):
        grams += hashes[place : place + length] * weight  # modulo 2**64, as meant
    unique = np.unique((grams >> np.uint64(32)).astype(np.uint32))
    sketch = _EMPTY.copy()
    for start in range(0, len(unique), _BLOCK):
        sketch.update_batch(unique[start : start + _BLOCK].tolist())
    return sketch.hashvalues


class NearDuplicates:
    """The kept documents by their signatures; ``marks`` holds them, numbered from 0."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._index = MinHashLSH(JACCARD, PERMUTATIONS, params=BANDS, hashfunc=_short)
        self._index.hashtables = [_Buckets() for _ in self._index.hashtables]

    def add(self, number: int, values: np.ndarray) -> None:
        """Take in the signature of kept document ``number``."""
        self._index.insert(number, _sketch(values), check_duplication=False)

    def known(self, values: np.ndarray) -> bool:
        """Whether a kept document is a near duplicate of the one with this signature."""
        found: list[Any] = self._index.query(_sketch(values))
        return any(
            np.count_nonzero(self._marks.signature(number) == values) >= JACCARD * PERMUTATIONS
            for number in found
        )


class _Buckets(DictSetStorage):
    """One band's buckets. Nearly all hold one number, which needs no set: 3 kB a document, not 10."""

    def __init__(self) -> None:
        super().__init__({})
        self._held: dict[bytes, int | tuple[int, ...]] = {}

    def insert(self, key: bytes, *vals: int, **_: Any) -> None:
        for number in vals:
            held = self.get(key)
            self._held[key] = (*held, number) if held else number

    def get(self, key: bytes) -> set[int]:
        held = self._held.get(key, ())
        return {held} if isinstance(held, int) else set(held)


def _sketch(values: np.ndarray) -> MinHash:
    return MinHash(
        hashvalues=values, permutations=_EMPTY.permutations, scheme=_SCHEME, hashfunc=int
    )


def _short(band: bytes) -> bytes:
    """A band's key in 8 bytes in place of 32: half the memory, and every find is compared anyway."""
    return hashlib.blake2b(band, digest_size=8).digest()
