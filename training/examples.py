"""Documents as training examples: windows, FIM or left to right, other files in front.

Lives here: what is drawn for one visit to one document. A visit depends only on the seed, the
epoch and the document, so any number of processes prepare the same examples in the same order.
It knows nothing of rows, batches or devices.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from training.corpus.shards import Document
from training.objectives.fim import FRAME, Encode, front, psm_within, split_at, spm_within
from training.objectives.heads import HEADS
from training.objectives.places import Span
from training.reading import Labels, Reader, Reading
from training.recipe import DataRecipe
from training.tokenizer import Sentinels

MIN_WINDOW = 0.1
"""The smallest window, as a share of a row."""
WINDOW_SKEW = 2.0
"""Windows are drawn as a power of a uniform number: many short ones, so that a row has several
middles and several ends to learn from, and some that fill it."""
FRONT_SHARE = 0.45
"""The most that other files take of a row."""
LEAST_REST = 240
"""Characters under which the rest of a document joins the window before it."""
SAME_FOLDER = 0.7
"""How often the file in front comes from the document's own folder, where there is one."""


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids, the last of which is the end; ``ends`` says whether that end is trained.

    It is not where a left-to-right window stops before its document does.
    """

    ids: list[int]
    ends: bool
    labels: Labels = field(default_factory=dict)
    """Of each head, as long as ``ids``."""


class Encoding(Protocol):
    """What of ``tokenizers.Encoding`` is used."""

    @property
    def ids(self) -> list[int]:
        """The tokens."""
        ...


class TextEncoder(Protocol):
    """What of ``tokenizers.Tokenizer`` is used."""

    def encode(self, sequence: str) -> Encoding:
        """Return the tokens of a text; none of them is a sentinel."""
        ...


class ExampleMaker:
    """Draws the examples of a document, anew in every epoch."""

    def __init__(
        self,
        documents: Sequence[Document],
        encoder: TextEncoder,
        sentinels: Sentinels,
        recipe: DataRecipe,
        seed: int,
        reader: Reader | None = None,
    ) -> None:
        """Draw for the objectives of ``reader``, without one for the next token alone."""
        self._reader = reader or Reader()
        self._documents = documents
        self._encode: Encode = lambda text: encoder.encode(text).ids
        self._ids = sentinels
        self._recipe = recipe
        self._seed = seed
        self._packages: dict[str, list[int]] = defaultdict(list)
        self._folders: dict[tuple[str, str], list[int]] = defaultdict(list)
        for i, document in enumerate(documents):
            self._packages[document.package].append(i)
            self._folders[_folder(document)].append(i)

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads that examples have labels for."""
        return self._reader.heads

    def order(self, epoch: int) -> list[int]:
        """Return the order in which documents are visited in ``epoch``."""
        indices = list(range(len(self._documents)))
        random.Random(f"{self._seed}/{epoch}").shuffle(indices)
        return indices

    def visit(self, epoch: int, index: int) -> tuple[int, list[Example]]:
        """Return the row length drawn for a document and its examples, each within the row."""
        document = self._documents[index]
        rng = random.Random(f"{self._seed}/{epoch}/{index}")
        length = rng.choices(self._recipe.lengths, self._recipe.shares)[0]
        reading = self._reader.read(document)
        examples: list[Example] = []
        at = 0
        while at < len(document.text):
            ahead: list[int] = []
            if rng.random() < self._recipe.neighbour_rate:
                ahead = self._front(index, length, rng)
            room = length - len(ahead)
            share = rng.uniform(MIN_WINDOW ** (1 / WINDOW_SKEW), 1) ** WINDOW_SKEW
            tokens = share * room - FRAME
            window = _window(document.text, at, tokens * self._recipe.characters_per_token)
            example = self._example(reading, window, room, rng)
            examples.append(_behind(ahead, example))
            at = window[1]
        return length, examples

    def _example(self, reading: Reading, window: Span, room: int, rng: random.Random) -> Example:
        if rng.random() < self._recipe.fim_rate:
            example = self._fim(reading, window, room, rng)
            if example is not None:
                return example
        ids = self._encode(reading.text[slice(*window)])
        whole = len(ids) < room and window[1] == len(reading.text)
        ids = [*ids[: room - 1], self._ids.end]
        return Example(ids, whole, reading.label_text(ids, window[0]))

    def _fim(self, reading: Reading, window: Span, room: int, rng: random.Random) -> Example | None:
        middle, needed = reading.draw_middle(window, rng)
        if rng.random() < self._recipe.empty_rate:
            middle = (middle[0], middle[0])
        if rng.random() < self._recipe.end_rate and needed <= middle[1]:
            middle = (middle[0], _line_end(reading.text, middle[1], window[1]))
            window = (window[0], middle[1])
        parts = split_at(reading.text, window, middle)
        order = spm_within if rng.random() < self._recipe.spm_rate else psm_within
        laid = order(*parts, self._encode, self._ids, limit=room)
        if laid is None:
            return None
        return Example(laid.ids, True, reading.label_fim(laid, window[0], middle))

    def _front(self, index: int, length: int, rng: random.Random) -> list[int]:
        """Snippets of other files of the package, or nothing where it has no other."""
        document = self._documents[index]
        near = [i for i in self._folders[_folder(document)] if i != index]
        far = self._packages[document.package]
        pool = near if near and rng.random() < SAME_FOLDER else far
        room = rng.uniform(0.1, FRONT_SHARE) * length
        files: list[tuple[str, str]] = []
        for _ in range(rng.choice((1, 1, 2))):
            other = pool[rng.randrange(len(pool))]
            if other != index:
                size = int(room / 2 * self._recipe.characters_per_token)
                files.append(
                    (self._documents[other].path, _lines(self._documents[other], size, rng))
                )
        ids = front(document.package, document.path, files, self._encode, self._ids)
        return ids if files and len(ids) <= length // 2 else []


def _behind(ahead: list[int], example: Example) -> Example:
    """Put other files in front; their text has no labels."""
    if not ahead:
        return example
    labels = {n: [HEADS[n].masked] * len(ahead) + rest for n, rest in example.labels.items()}
    return Example([*ahead, *example.ids], example.ends, labels)


def _line_end(text: str, at: int, last: int) -> int:
    """The end of the line around ``at``: with nothing behind the cursor, all else is a guess."""
    end = text.find("\n", at, last)
    return last if end < 0 else end


def _folder(document: Document) -> tuple[str, str]:
    return document.package, document.path.rpartition("/")[0]


def _window(text: str, at: int, characters: float) -> Span:
    """From ``at`` over about ``characters``, to the end of a line, or of the text if it is near."""
    end = text.find("\n", at + max(16, int(characters)))
    end = len(text) if end < 0 or len(text) - end < LEAST_REST else end + 1
    return at, end


def _lines(document: Document, characters: int, rng: random.Random) -> str:
    """Whole lines of a file, about ``characters`` of them, from a random line on."""
    text = document.text
    start = text.rfind("\n", 0, rng.randrange(max(1, len(text) - characters // 2))) + 1
    end = text.find("\n", start + characters)
    return text[start : len(text) if end < 0 else end + 1][: 2 * characters]
