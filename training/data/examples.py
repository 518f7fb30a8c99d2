"""Documents as training examples: windows, FIM or left to right, other files in front.

Lives here: what is drawn for one visit to one document. A visit depends only on the seed, the
epoch and the document, so any number of processes prepare the same examples in the same order.
It knows nothing of rows, batches or devices.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from completion.errors import UsageError
from training.corpus.imports import import_order
from training.corpus.mapped import MappedDocuments, names
from training.corpus.shards import Document
from training.data.layouts import Ahead, Layout, OwnLayout
from training.data.reading import Labels, Reader, Reading
from training.objectives.context import LEAST_SHARE, SHARE, Definitions, LinkSource
from training.objectives.fim import FRAME, Encode, split_at
from training.objectives.heads import HEADS
from training.objectives.masked_identifiers import lay_masked
from training.objectives.places import Span
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

Define = Callable[[Span, Span], Ahead]
"""From a window and its middle to the definitions in front of them."""


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids, the last of which is the end; ``ends`` says whether that end is trained.

    It is not where a left-to-right window stops before its document does.
    """

    ids: list[int]
    ends: bool
    labels: Labels = field(default_factory=dict)
    """Of each head, as long as ``ids``."""
    trained: list[bool] = field(default_factory=list[bool])
    """Whether each id carries loss as a target; empty: all do, the end as ``ends`` says."""


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
        layout: Sentinels | Layout,
        recipe: DataRecipe,
        seed: int,
        reader: Reader | None = None,
        links: LinkSource | None = None,
    ) -> None:
        """Draw for the objectives of ``reader``, without one for the next token alone.

        ``layout``: sentinels alone are those of Caret's own. ``links``: of the documents, by which
        definitions come in front.

        Raises:
            UsageError: the recipe asks for definitions and there are no links.
        """
        if recipe.definitions_rate and links is None:
            raise UsageError(
                "recipe: data.definitions_rate needs the corpus's links; make them with "
                "caret corpus --links CORPUS"
            )
        self._reader = reader or Reader()
        self._documents = documents
        self._encode: Encode = lambda text: encoder.encode(text).ids
        own = isinstance(layout, Sentinels)
        self._layout: Layout = OwnLayout(self._encode, layout) if own else layout
        self._recipe = recipe
        self._seed = seed
        self._packages: dict[str, list[int]] = defaultdict(list)
        self._folders: dict[tuple[str, str], list[int]] = defaultdict(list)
        for i, (package, path) in enumerate(names(documents)):
            self._packages[package].append(i)
            self._folders[package, path.rpartition("/")[0]].append(i)
        self._stands = self._in_stands() if recipe.order == "repository" else None
        self._definitions = Definitions(documents, links, self._packages) if links else None

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads that examples have labels for."""
        return self._reader.heads

    def order(self, epoch: int) -> list[int]:
        """Return the order in which documents are visited in ``epoch``."""
        rng = random.Random(f"{self._seed}/{epoch}")
        if self._stands is not None:
            packages = list(self._stands)
            rng.shuffle(packages)
            return [index for package in packages for index in package]
        indices = list(range(len(self._documents)))
        rng.shuffle(indices)
        return indices

    @property
    def in_order(self) -> bool:
        """Whether documents that follow each other belong together."""
        return self._stands is not None

    def _in_stands(self) -> list[list[int]]:
        """The packages, of each its documents behind what they import."""
        if isinstance(self._documents, MappedDocuments):
            return self._documents.stands()
        packages = self._packages.values()
        return [
            [package[i] for i in import_order([self._documents[j] for j in package])]
            for package in packages
        ]

    def visit(self, epoch: int, index: int) -> tuple[int, list[Example]]:
        """Return the row length drawn for a document and its examples, each within the row."""
        document = self._documents[index]
        rng = random.Random(f"{self._seed}/{epoch}/{index}")
        length = rng.choices(self._recipe.lengths, self._recipe.shares)[0]
        reading = self._reader.read(document)
        examples: list[Example] = []
        at = 0
        while at < len(document.text):
            ahead = self._layout.ahead(document.package, document.path, ())
            kept = self._kept_free(length, rng)
            if not kept and rng.random() < self._recipe.neighbour_rate:
                ahead = self._front(index, length, rng)
            room = length - ahead.size - kept
            share = rng.uniform(MIN_WINDOW ** (1 / WINDOW_SKEW), 1) ** WINDOW_SKEW
            tokens = share * room - FRAME
            window = _window(document.text, at, tokens * self._recipe.characters_per_token)
            define = partial(self._defined, index, kept, rng) if kept else None
            examples.append(self._example(reading, window, ahead, length, rng, define))
            at = window[1]
        return length, examples

    def _example(
        self, reading: Reading, window: Span, ahead: Ahead, length: int, rng: random.Random,
        define: Define | None = None,
    ) -> Example:  # fmt: skip
        layout = self._layout
        before = layout.before_text(ahead)
        room = length - len(before)
        names = reading.draw_masked(window, rng)
        if names and isinstance(layout, OwnLayout):
            masked = lay_masked(
                reading.text, window, names, self._encode, reading.reader.spelled, layout.ids,
                limit=room,
            )  # fmt: skip
            if masked:
                labels = reading.label_masked(masked)
                return _behind(before, Example(masked.ids, True, labels, masked.trained))
        if rng.random() < self._recipe.fim_rate:
            example = self._fim(reading, window, ahead, length, rng, define)
            if example is not None:
                return example
        ids = self._encode(reading.text[slice(*window)])
        whole = len(ids) < room and window[1] == len(reading.text)
        ids = [*ids[: room - 1], layout.end]
        return _behind(before, Example(ids, whole, reading.label_text(ids, window[0])))

    def _fim(
        self, reading: Reading, window: Span, ahead: Ahead, length: int, rng: random.Random,
        define: Define | None,
    ) -> Example | None:  # fmt: skip
        middle, needed = reading.draw_middle(window, rng)
        if rng.random() < self._recipe.empty_rate:
            middle = (middle[0], middle[0])
        if rng.random() < self._recipe.end_rate and needed <= middle[1]:
            middle = (middle[0], _line_end(reading.text, middle[1], window[1]))
            window = (window[0], middle[1])
        if define:
            ahead = define(window, middle)
        parts = split_at(reading.text, window, middle)
        suffix_first = rng.random() < self._recipe.spm_rate
        laid = self._layout.fim(parts, ahead, limit=length, suffix_first=suffix_first)
        if laid is None:
            return None
        return Example(laid.ids, True, reading.label_fim(laid, window[0], middle))

    def _kept_free(self, length: int, rng: random.Random) -> int:
        """Draw the tokens of a row that are kept for definitions; 0: there will be none."""
        if not self._recipe.definitions_rate or rng.random() >= self._recipe.definitions_rate:
            return 0
        return int(rng.uniform(LEAST_SHARE, SHARE) * length)

    def _defined(
        self, index: int, room: int, rng: random.Random, window: Span, middle: Span
    ) -> Ahead:
        """Definitions of what a middle uses in at most ``room`` tokens, the least relevant left out."""
        document = self._documents[index]
        assert self._definitions is not None
        characters = int(room * self._recipe.characters_per_token)
        ranked = self._definitions.ranked(index, window, middle, characters, rng)
        while ranked:
            files = self._definitions.files(ranked)
            ahead = self._layout.ahead(document.package, document.path, files)
            if ahead.size <= room:
                return ahead
            ranked.pop()
        return self._layout.ahead(document.package, document.path, ())

    def _front(self, index: int, length: int, rng: random.Random) -> Ahead:
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
        ahead = self._layout.ahead(document.package, document.path, files)
        if ahead.size > length // 2:
            return self._layout.ahead(document.package, document.path, ())
        return ahead


def _behind(ahead: list[int], example: Example) -> Example:
    """Put other files in front; their text has no labels."""
    if not ahead:
        return example
    labels = {n: [HEADS[n].masked] * len(ahead) + rest for n, rest in example.labels.items()}
    trained = [True] * len(ahead) + example.trained if example.trained else []
    return Example([*ahead, *example.ids], example.ends, labels, trained)


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
