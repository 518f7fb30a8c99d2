"""The names of a document as rows of numbers, and back.

Pure. A row is start, end and a number that packs the function around the name, its kind, and
whether it is bare and whether it binds; what the name says stands in the text.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.objectives.names import NO_SCOPE, Name, Names

KINDS = ("NAME", "VARIABLE", "FUNCTION", "ATTRIBUTE", "MODULE", "CLASS", "PARAMETER")
"""The kinds by number; NAME is what no more is known of."""
_KIND_AT, _SCOPE_AT = 2, 5
"""The bits at which the kind and the scope begin."""

Rows = npt.NDArray[np.int32]


def rows_of(names: Names) -> list[tuple[int, int, int]]:
    """Return a row for each name, in order."""
    return [
        (
            n.start,
            n.end,
            (n.scope - NO_SCOPE) << _SCOPE_AT
            | KINDS.index(n.kind) << _KIND_AT
            | n.bare << 1
            | int(n.binds),
        )
        for n in names.found
    ]


def names_from(text: str, rows: Rows, scopes: Rows) -> Names:
    """Return the names that :func:`rows_of` made ``rows`` of."""
    found = [
        Name(
            start,
            end,
            text[start:end],
            KINDS[packed >> _KIND_AT & (1 << _SCOPE_AT - _KIND_AT) - 1],
            bool(packed & 2),
            bool(packed & 1),
            (packed >> _SCOPE_AT) + NO_SCOPE,
        )
        for start, end, packed in rows.tolist()
    ]
    return Names(found=found, scopes=[(start, end) for start, end in scopes.tolist()])


def plain_names(text: str, places: Rows) -> Names:
    """Return names of which a grammar tells the places and nothing else."""
    found = [
        Name(start, end, text[start:end], KINDS[0], False, False, NO_SCOPE)
        for start, end in places.tolist()
    ]
    return Names(found=found, scopes=[])
