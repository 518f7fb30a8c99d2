"""Cursor slices: the same middles, cut at a boundary, in words, blanks, strings and characters.

What the cuts are stands in :mod:`eval.build.slices`. A model that is only good at token boundaries
shows it here: the kinds are of the same lines, and differ in the cursor alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from completion.filters.characters import open_character
from eval.build.builders import BUILDERS, load
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item
from eval.suites.base import CUT, Loaded, Scores, Suite
from eval.suites.common import cut_against, text_scores

MAX_TOKENS = 64
"""The longest middle has 120 bytes; a model that does not end by itself is not heard for longer."""


class Slices(Suite):
    """Text metrics by kind of cut, raw and cut, and two that look at the line alone.

    ``exact_match``, ``edit_similarity``, ``repeats_suffix`` and ``ended_by_model`` as everywhere:
    of the whole answer, and exact once the blanks around it are stripped. A model that says the
    right line and runs on is wrong there, and one that indents wrongly can be right. So
    ``exact_match_line`` is of the answer's first line, blanks before it counted and only those
    behind it stripped; ``exact_match_line_cut`` is the same of what an editor would insert. Behind
    half a character, the half that is typed counts as part of answer and reference.
    """

    name: ClassVar[str] = "slices"
    version: ClassVar[str] = BUILDERS["slices"].version
    about: ClassVar[str] = "the same lines with the cursor at ten kinds of places; EM, ES"
    headline: ClassVar[tuple[str, ...]] = ("exact_match_line", "exact_match" + CUT)
    default_limit: ClassVar[int] = BUILDERS["slices"].items

    def load(self, data: Path | None) -> Loaded:
        """Make the items from a tree, or read built ones."""
        return load(self.name, data)

    def ask(self, item: Item) -> Ask:
        """Ask for the rest of the line."""
        return Ask(lines="single", max_tokens=MAX_TOKENS)

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Score the first answer."""
        begun = open_character(item.prefix)
        item = replace(item, reference=begun + item.reference)
        answer = answers[0] if answers else Answer()
        raw, cut = (None if t is None else begun + t for t in (answer.raw, answer.cut))
        answer = replace(answer, raw=raw, cut=cut)
        scores = text_scores(item, [answer])
        scores["exact_match_line"] = _same_line(answer.raw, item.reference)
        text, _, reference = cut_against(item, answer)
        scores["exact_match_line" + CUT] = _same_line(text, reference)
        return scores


def _same_line(text: bytes | None, reference: bytes) -> float:
    if text is None:
        return 0.0
    return float(text.split(b"\n", 1)[0].rstrip() == reference.split(b"\n", 1)[0].rstrip())
