"""Definitions of what a middle uses, in front of it, as the server puts them there.

Sagtani et al., Context & Curriculum FIM (arXiv 2412.16589, section 3.2): what the missing code refers
to is found by a compiler and stands before the prompt; the smallest models gain most. Here others
of the file's and the package's definitions stand among them, because an editor does not know what
will be written, and the model has to choose.

Pure: links are found before, once for a corpus. No definition is shown that the middle is a part of,
nor one that says it again.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from completion.syntax.definitions import BLANKS, arranged
from training.corpus.link_files import Piece, Shown
from training.corpus.shards import Document
from training.objectives.places import Span

SHARE = 0.4
"""The most of a row that definitions take: ``completion.prompt.budget.Shares.snippets``."""
LEAST_SHARE = 0.1
DISTRACTED = 0.5
"""How often definitions stand among them that the middle does not use."""
ALONE = 0.15
"""How often these stand there although nothing that is used is known."""
DISTRACTORS = 3
"""The most of these."""
FOREIGN = 0.3
"""The share of these that nothing in the window uses either."""
COPY = 40
"""Characters from which on a middle is not shown in other words: shorter ones are names and calls,
and a name stands in its definition."""
File = tuple[str, str]
"""A path and what is shown of the file."""


class LinkSource(Protocol):
    """What of :class:`training.corpus.link_files.Links` is used."""

    def within(self, document: int, span: Span) -> Iterator[tuple[Span, Shown]]:
        """Yield the names that ``span`` touches and what they refer to, in order."""
        ...


class Definitions:
    """Draws what stands in front of an example."""

    def __init__(
        self,
        documents: Sequence[Document],
        links: LinkSource,
        packages: Mapping[str, Sequence[int]],
    ) -> None:
        """Take the documents, their links, and which documents each package has."""
        self._documents, self._links, self._packages = documents, links, packages

    def ranked(
        self, index: int, window: Span, middle: Span, room: int, rng: random.Random
    ) -> list[Shown]:
        """Return the definitions for a document's middle in its window, the most relevant first.

        First what the middle uses, in the order of its use; then what its line uses before it, the
        nearest first: a call's arguments are told by the function. Together about ``room``
        characters. Empty where that and chance find none.
        """
        used = [shown for _, shown in self._links.within(index, middle)]
        line = self._documents[index].text.rfind("\n", window[0], middle[0]) + 1 or window[0]
        before = [shown for _, shown in self._links.within(index, (line, middle[0]))]
        used += before[::-1]
        rate = DISTRACTED if used else ALONE
        others = self._distractors(index, window, rng) if rng.random() < rate else []
        out: dict[tuple[int, Span], Shown] = {}
        for shown in [*used, *others]:
            key = shown.document, shown.whole
            size = sum(end - start for start, end, _ in shown.pieces)
            fits = size <= room and key not in out
            if fits and self._may_show(shown, index, window, middle):
                out[key] = shown
                room -= size
        return list(out.values())

    def files(self, ranked: Iterable[Shown]) -> list[File]:
        """Return what is shown, by file, the most relevant file last and nearest to the cursor."""
        pieces: dict[int, list[Piece]] = defaultdict(list)
        for shown in ranked:
            pieces[shown.document] += shown.pieces
        return [
            (self._documents[number].path, shown_text(self._documents[number].text, found))
            for number, found in reversed(pieces.items())
        ]

    def _distractors(self, index: int, window: Span, rng: random.Random) -> list[Shown]:
        """Draw what else an editor might find: what the window uses, and the package's others."""
        near = [shown for _, shown in self._links.within(index, window)]
        package = self._packages[self._documents[index].package]
        out: list[Shown] = []
        for _ in range(rng.randint(1, DISTRACTORS)):
            pool = near
            if not near or rng.random() < FOREIGN:
                other = package[rng.randrange(len(package))]
                pool = [
                    s for _, s in self._links.within(other, (0, len(self._documents[other].text)))
                ]
            if pool:
                out.append(pool[rng.randrange(len(pool))])
        return out

    def _may_show(self, shown: Shown, index: int, window: Span, middle: Span) -> bool:
        """Tell whether a definition gives nothing of the middle away and is not in sight."""
        document = self._documents[index]
        if shown.document == index:
            if any(_meets(span, middle) for span in (shown.whole, *(p[:2] for p in shown.pieces))):
                return False
            if _meets(shown.pieces[-1][:2], window):
                return False  # in sight, or half of it; the header of its class may be
            if window[1] == middle[1] and shown.whole[0] >= middle[1]:
                return False  # nothing is behind the cursor, so it is not written yet
        text = shown_text(self._documents[shown.document].text, shown.pieces).strip()
        missing = document.text[slice(*middle)].strip()
        if len(missing) >= COPY and missing in text:
            return False
        seen = document.text[window[0] : middle[0]], document.text[middle[1] : window[1]]
        return bool(text) and not any(text in part for part in seen)


def shown_text(text: str, pieces: Iterable[Piece]) -> str:
    """Return what ``completion.syntax.definitions.shown_bytes`` does, in characters."""
    kept = arranged(pieces)
    return "".join(text[p.start : p.end].rstrip(BLANKS) + p.tail + "\n" for p in kept)


def _meets(one: Span, other: Span) -> bool:
    """Whether two spans share a character, or an empty one lies in the other."""
    return (one[0] < other[1] and other[0] < one[1]) or one[0] <= other[0] == other[1] <= one[1]
