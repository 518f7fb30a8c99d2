"""Token Recycling (Luo et al., arXiv 2408.08696): what the model held likely before drafts what comes.

An adjacency matrix keeps behind each token of the vocabulary the candidates of the last time that it was
read; a draft is a breadth-first walk over it from the last token that is known. One token of context
decides, and no text has to repeat itself. The paper also learns from rows of drafts that were
wrong, which answers recorded without drafts do not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from eval.bench.drafted import Candidates, Draft, Request

CANDIDATES = 8
"""Kept behind each token: the paper's k."""
LEVELS = (8, 21, 25, 15, 8, 3)
"""Nodes of the paper's tree by level: 80."""
FEW_LEVELS = (4, 6, 5, 3, 2)
"""Nodes of a tree for a machine on which a row costs something: 20."""

Ranks = tuple[int, ...]
"""A node as the path to it: which candidate is taken at each level."""


class Adjacency:
    """The matrix; a row for each token that was read."""

    def __init__(self) -> None:
        self._rows: dict[int, Candidates] = {}

    def learn(self, tokens: Iterable[int], rows: Iterable[Candidates]) -> None:
        """Take the candidates behind each of ``tokens``; the latest are those that count."""
        self._rows.update(zip(tokens, rows, strict=False))

    def draft(self, last: int, tree: Sequence[Ranks], most: int) -> Draft:
        """Return what the nodes of ``tree`` up to depth ``most`` stand for behind ``last``.

        Nodes behind a token that was never read are left out.
        """
        tokens: list[int] = []
        parents: list[int] = []
        places: dict[Ranks, int] = {(): -1}
        for node in tree:
            parent = places.get(node[:-1])
            if parent is None or len(node) > most:
                continue
            row = self._rows.get(last if parent < 0 else tokens[parent], ())
            if node[-1] < len(row):
                places[node] = len(tokens)
                tokens.append(row[node[-1]])
                parents.append(parent)
        return Draft(tuple(tokens), tuple(parents))


def chain(length: int) -> tuple[Ranks, ...]:
    """Return the tree that has the first candidate at each level, and no other."""
    return tuple((0,) * depth for depth in range(1, length + 1))


def tree(levels: Sequence[int] = LEVELS, candidates: int = CANDIDATES) -> tuple[Ranks, ...]:
    """Return a static tree, breadth first, with so many nodes a level.

    The paper's was found by hand; here a level has those nodes behind the one above whose ranks,
    counted from one, have the smallest product: likeliest if the n-th candidate is right in 1 / n of what
    the first is.
    """
    above: list[Ranks] = [()]
    nodes: list[Ranks] = []
    for size in levels:
        below = [(*node, rank) for node in above for rank in range(candidates)]
        above = sorted(below, key=lambda ranks: (prod(rank + 1 for rank in ranks), ranks))[:size]
        nodes += above
    return tuple(nodes)


class Recycling:
    """A drafter of :class:`Adjacency`.

    ``hot``: the matrix stays from request to request of a document. ``prompts``: it also learns the rows
    of the prompt's tokens, those that are not cached while it is hot; an engine that does not compute
    their logits has none of them but the last.
    """

    def __init__(self, shape: Sequence[Ranks], *, hot: bool, prompts: bool) -> None:
        self._shape, self._hot, self._prompts = shape, hot, prompts
        self._matrix = Adjacency()
        self._document: int | None = None
        self._last: int = -1
        """The last token that is known."""
        self._unread: list[int] = []
        """Tokens that are known and have no row yet: no step has read them."""

    def begin(self, request: Request) -> None:
        """Take a prompt."""
        start = request.cached
        if not self._hot or request.document != self._document:
            self._matrix, self._document, start = Adjacency(), request.document, 0
        if not self._prompts:
            start = len(request.prompt) - 1
        self._matrix.learn(request.prompt[start:], request.prompt_rows[start:])
        self._last, self._unread = request.prompt[-1], []

    def read(self, tokens: Sequence[int], rows: Sequence[Candidates]) -> None:
        """Take tokens, and the rows behind what was known before them and behind them."""
        self._unread += tokens
        self._matrix.learn(self._unread, rows)
        del self._unread[: len(rows)]
        self._last = tokens[-1]

    def draft(self, most: int) -> Draft:
        """Return a draft of the tree's shape."""
        return self._matrix.draft(self._last, self._shape, most)
