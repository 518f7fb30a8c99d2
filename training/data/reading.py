"""A document as its examples see it: middles to draw, labels to give.

Lives here: what is found in a document once, for all of its windows. It draws the middle of a
window and labels the tokens of an example; it knows nothing of rows and of how windows are chosen.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from tokenizers import Tokenizer

from completion.syntax.languages import language_for
from training.corpus.shards import Document
from training.objectives.fim import Laid
from training.objectives.heads import HEADS, head_weights
from training.objectives.horizon import FORMS, horizon_labels
from training.objectives.masked_identifiers import MaskedText, choose, maskable, spellings
from training.objectives.middles import Outline, draw_middle
from training.objectives.mixture import SHARES, ordered
from training.objectives.names import Names
from training.objectives.next_type import DocumentTypes, TokenTyper
from training.objectives.parsed import Found, Parsed, names_in
from training.objectives.places import Span
from training.objectives.task import Task
from training.objectives.tasks import draw_task, find_tasks, task_shares
from training.recipe import PLAIN, ObjectivesRecipe
from training.tokenizer import Spelled, token_bytes

Labels = dict[str, list[Any]]
"""By head, one an id: what the position before that id should say."""


class Reader:
    """Reads documents for the objectives that a recipe has; all off, it finds middles only."""

    def __init__(
        self,
        recipe: ObjectivesRecipe = PLAIN,
        tokenizer: Tokenizer | Spelled | None = None,
        middles: Mapping[str, float] = SHARES,
    ) -> None:
        """Take the ``tokenizer`` that ids are from, of no use with all off, and the mixture of
        ``middles``."""
        self.shares = task_shares(recipe)
        self.middles = ordered(middles)
        self.masked_share = recipe.masked_identifiers
        self.spelled = (
            spellings(tokenizer) if isinstance(tokenizer, Tokenizer) and self.masked_share else []
        )
        self.target = FORMS[recipe.horizon_form].target
        self.heads = tuple(head_weights(recipe))
        spelled = token_bytes(tokenizer) if tokenizer and self.heads else []
        self.sizes = [len(b) for b in spelled]
        self.typer = TokenTyper(spelled)

    def read(self, document: Document) -> Reading:
        """Take what was found in a document, or find it as far as the objectives ask for it."""
        return Reading(self, document)


class Reading:
    """One document, read; each thing in it is looked at when it is asked for."""

    def __init__(self, reader: Reader, document: Document) -> None:
        """Take a document's stored columns where it has them."""
        self.reader = reader
        self.text = document.text
        self.parsed: Parsed = document.parsed or Found(document.path, document.text)
        self.outline = Outline(self.parsed)
        self._typed = "next_type" in reader.heads and bool(language_for("", document.path))
        self._tasks: dict[str, list[Task]] = {}

    @cached_property
    def names(self) -> Names:
        """All names of the document."""
        return names_in(self.text, self.parsed)

    @cached_property
    def types(self) -> DocumentTypes | None:
        """``None`` where no head asks for them, or the lexer has no rules of the language."""
        return DocumentTypes(self.text, self.parsed.types()) if self._typed else None

    def tasks(self, kind: str) -> list[Task]:
        """Return the tasks of a kind, sorted."""
        if kind not in self._tasks:
            self._tasks[kind] = find_tasks(kind, self.parsed, lambda: self.names)
        return self._tasks[kind]

    def draw_middle(self, window: Span, rng: random.Random) -> tuple[Span, int]:
        """Return a middle in ``window`` and how far its question needs what stands behind it."""
        task = draw_task(window, self.tasks, self.reader.shares, rng)
        if task:
            return task.middle, task.needs[1]
        middle = draw_middle(self.text, window, self.outline, rng, self.reader.middles)
        return middle, middle[0]

    def draw_masked(self, window: Span, rng: random.Random) -> dict[str, list[Span]]:
        """Return the names to mask in ``window`` with their places, mostly none."""
        share = self.reader.masked_share
        if not share or rng.random() >= share:
            return {}
        found = maskable(self.text, window, self.names)
        return choose(found, rng) if found else {}

    def label_masked(self, masked: MaskedText) -> Labels:
        """Label an example of masked names: what stands between them has its types as ever."""
        labels = self._masked(len(masked.ids))
        if self.types:
            for s in masked.stretches:
                types = self.reader.typer.behind(self.types, s.anchor, masked.ids[s.first : s.last])
                labels["next_type"][s.first : s.last] = types
        return labels

    def label_fim(self, laid: Laid, start: int, middle: Span) -> Labels:
        """Label an example whose window starts at the character ``start``."""
        labels = self._masked(len(laid.ids))
        if "horizon" in labels:
            size = len(self.text[slice(*middle)].encode("utf-8"))
            labels["horizon"] = horizon_labels(
                laid.ids, size, self.reader.sizes, self.reader.target
            )
        if self.types:
            typer = self.reader.typer
            for s in laid.stretches:
                find = typer.before if s.anchored_end else typer.behind
                types = find(self.types, start + s.anchor, laid.ids[s.first : s.last])
                labels["next_type"][s.first : s.last] = types
        return labels

    def label_text(self, ids: list[int], start: int) -> Labels:
        """Label text that is read left to right from ``start`` on, with an end behind it."""
        labels = self._masked(len(ids))
        if self.types:
            labels["next_type"][:-1] = self.reader.typer.behind(self.types, start, ids[:-1])
        return labels

    def _masked(self, length: int) -> Labels:
        return {name: [HEADS[name].masked] * length for name in self.reader.heads}
