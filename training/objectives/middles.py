"""Which stretch of a document is the middle that the model learns to fill in.

Pure: a parsed document and a random generator in, two character offsets out. Kinds and shares are
the design's; kinds other than random ones come from the syntax tree (Gong et al., AST-T5, arXiv
2401.03003; Sagtani et al., arXiv 2412.16589), and half of them still start at a random character,
because a model that has only seen whole nodes fails in the middle of a word.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from completion.syntax.node_places import SPANS
from training.objectives.mixture import SHARES
from training.objectives.parsed import (
    ABSENT,
    BODY,
    DOCSTRING,
    FUNCTION,
    WHOLE,
    Column,
    Found,
    Parsed,
)
from training.objectives.places import Span

RANDOM_CUT_SHARE = 0.5
"""Share of the syntax-aligned middles whose start is drawn anew inside the node."""
MAX_RANDOM = 600
"""Characters in the longest random middle; lengths are drawn log-uniformly, so most are short."""
MAX_SHARE = 0.6
"""Most of a window that its middle may take: what is filled in is judged from what is around."""
STATEMENT_SHARE = 0.4
"""Share of the ``line`` middles that go on to the end of the statement."""


class Outline:
    """Where the middles of each kind lie in one document."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self._spans: dict[str, Column] = {}

    def spans(self, kind: str) -> Column:
        """Return start and end (N, 2) of the middles of a kind, sorted; of one without nodes, none."""
        if kind not in self._spans:
            self._spans[kind] = self._find(kind)
        return self._spans[kind]

    @cached_property
    def statements(self) -> Column:
        """Ends of statements, sorted."""
        ends = self._parsed.column("statement")[:, 1], self._parsed.column("end")[:, 0]
        return np.unique(np.concatenate(ends))

    def _find(self, kind: str) -> Column:
        if kind in SPANS:
            return self._parsed.column(kind)
        definitions = self._parsed.column("definition")
        if kind == "docstring":
            found = definitions[:, DOCSTRING]
        elif kind == "body":
            found = definitions[definitions[:, FUNCTION] == 1, BODY]
        else:
            return definitions[:0, WHOLE]
        found = found[found[:, 0] != ABSENT]
        return found[np.lexsort((found[:, 1], found[:, 0]))]


def outline(path: str, text: str) -> Outline:
    """Find the candidates of every syntactic kind; where nothing parses there are none."""
    return Outline(Found(path, text))


def draw_middle(
    text: str,
    window: Span,
    found: Outline,
    rng: random.Random,
    shares: Mapping[str, float] = SHARES,
) -> Span:
    """Return the middle for ``window`` of ``text``: inside it, not empty unless the window is.

    ``shares`` say how often each kind is tried first, in their order.
    """
    start, end = window
    if end - start < 2:
        return window
    kind = rng.choices(list(shares), list(shares.values()))[0]
    if kind == "random":
        return _random(window, rng)
    longest = max(1, int(MAX_SHARE * (end - start)))
    candidates = _inside(found.spans(kind), window, longest)
    if not len(candidates):
        return _to_line_end(text, window, found, longest, rng)
    a, b = candidates[rng.randrange(len(candidates))].tolist()
    if rng.random() < RANDOM_CUT_SHARE and b - a > 1:
        a = rng.randrange(a, b)
    return a, b


def _random(window: Span, rng: random.Random) -> Span:
    longest = max(1, min(MAX_RANDOM, int(MAX_SHARE * (window[1] - window[0]))))
    length = max(1, round(math.exp(rng.uniform(0, math.log(longest)))))
    start = rng.randrange(window[0], window[1] - length + 1)
    return start, start + length


def _to_line_end(text: str, window: Span, found: Outline, longest: int, rng: random.Random) -> Span:
    """From a random character that is not in a blank line's end to the end of its line."""
    for _ in range(8):
        start = rng.randrange(*window)
        end = text.find("\n", start, window[1])
        end = window[1] if end < 0 else end
        if rng.random() < STATEMENT_SHARE:
            ends = found.statements
            at = int(np.searchsorted(ends, max(end, start + 1)))
            if at < len(ends) and ends[at] <= min(window[1], start + longest):
                end = int(ends[at])
        if text[start:end].strip():
            return start, end
    return _random(window, rng)


def _inside(spans: Column, window: Span, longest: int) -> Column:
    first, last = np.searchsorted(spans[:, 0], window)
    found = spans[first:last]
    return found[(found[:, 1] <= window[1]) & (found[:, 1] - found[:, 0] <= longest)]
