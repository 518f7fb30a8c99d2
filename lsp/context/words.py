"""Identifiers of a text, and how alike two sets of them are. Pure; made for many windows at once.

Code that is about the same things uses the same names, whatever stands around them: Jaccard's
measure over the parts of names finds it without an index and without a model.
"""

from __future__ import annotations

import re

_WORD = re.compile(rb"[^\W\d]\w*|[\x80-\xff]+")
_PART = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[\x80-\xff]+")
LEAST = 3
"""Shorter parts of names say too little."""

_COMMON = frozenset(
    b"self this return def class function func var let const import from none null true false for "
    b"while else elif if then end try catch except finally with async await new public private "
    b"static final void int str string bool list dict len range not and the type struct impl pub "
    b"mut use package interface extends implements export default case switch break continue "
    b"lambda pass raise throw print super init".split()
)
"""Words of languages and of all programs: they tell two places apart nowhere."""


def words(text: bytes) -> frozenset[bytes]:
    """Return the parts of the identifiers in ``text``, in lower case, comments included."""
    found: set[bytes] = set()
    for name in set(_WORD.findall(text)):
        for part in _PART.findall(name):
            small = part.lower()
            if len(small) >= LEAST and small not in _COMMON:
                found.add(small)
    return frozenset(found)


def alike(one: frozenset[bytes], other: frozenset[bytes]) -> float:
    """Return Jaccard's measure, 0 to 1."""
    if not one or not other:
        return 0.0
    both = len(one & other)
    return both / (len(one) + len(other) - both)
