"""A document as its examples see it: middles to draw, labels to give.

Lives here: what is found in a document once, for all of its windows. It draws the middle of a
window and labels the tokens of an example; it knows nothing of rows and of how windows are chosen.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from completion.syntax.languages import language_for
from training.corpus.shards import Document
from training.objectives.fim import Laid
from training.objectives.heads import HEADS, head_weights
from training.objectives.horizon import horizon_labels
from training.objectives.middles import Outline, draw_middle, outline_of
from training.objectives.names import Names, names_of
from training.objectives.next_type import DocumentTypes, TokenTyper
from training.objectives.places import Places, Span, parse_module
from training.objectives.tasks import Tasks, draw_task, find_tasks, task_shares
from training.recipe import PLAIN, ObjectivesRecipe
from training.tokenizer import token_bytes

Labels = dict[str, list[Any]]
"""By head, one an id: what the position before that id should say."""


class Reader:
    """Reads documents for the objectives that a recipe has; all off, it finds middles only."""

    def __init__(
        self, recipe: ObjectivesRecipe = PLAIN, tokenizer: Tokenizer | None = None
    ) -> None:
        """Take the ``tokenizer`` that ids are from; without heads none is needed."""
        self.shares = task_shares(recipe)
        self.heads = tuple(head_weights(recipe))
        spelled = token_bytes(tokenizer) if tokenizer and self.heads else []
        self.sizes = [len(b) for b in spelled]
        self.typer = TokenTyper(spelled)
        self._named = "next_type" in self.heads or bool(
            {"occurrence", "declaration"} & set(self.shares)
        )

    def read(self, document: Document) -> Reading:
        """Parse and lex a document, as far as the objectives ask for it."""
        text = document.text
        tree = parse_module(text)
        places = Places(text)
        names = Names(found=[], scopes=[])
        outline, tasks = Outline(spans={}, statements=[]), {}
        if tree:
            outline = outline_of(places, tree)
            if self._named:
                names = names_of(places, tree)
            tasks = find_tasks(places, tree, names, self.shares)
        types, language = None, language_for("", document.path)
        if language and "next_type" in self.heads:
            types = DocumentTypes(text, language, names.found)
        return Reading(self, text, outline, tasks, types)


@dataclass(frozen=True, slots=True)
class Reading:
    """One document, read."""

    reader: Reader
    text: str
    outline: Outline
    tasks: Tasks
    types: DocumentTypes | None
    """``None`` where no head asks for them, or the lexer has no rules of the language."""

    def draw_middle(self, window: Span, rng: random.Random) -> tuple[Span, int]:
        """Return a middle in ``window`` and how far its question needs what stands behind it."""
        task = draw_task(window, self.tasks, self.reader.shares, rng)
        if task:
            return task.middle, task.needs[1]
        middle = draw_middle(self.text, window, self.outline, rng)
        return middle, middle[0]

    def label_fim(self, laid: Laid, start: int, middle: Span) -> Labels:
        """Label an example whose window starts at the character ``start``."""
        labels = self._masked(len(laid.ids))
        if "horizon" in labels:
            size = len(self.text[slice(*middle)].encode("utf-8"))
            labels["horizon"] = horizon_labels(laid.ids, size, self.reader.sizes)
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
