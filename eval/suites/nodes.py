"""Nodes: whole nodes of the syntax tree as middles, and how often each kind goes wrong.

What the kinds are stands in :mod:`completion.syntax.node_places`. After Context & Curriculum FIM (Sagtani
et al., arXiv 2412.16589), which mines the kinds that people accept least; here a file says what was
right. The figures by kind are what ``caret train --curriculum-from`` makes a mixture of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from eval.build.builders import BUILDERS, load
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item
from eval.suites.base import CUT, Loaded, Scores, Suite
from eval.suites.common import text_scores

MAX_TOKENS = 192
"""The longest middle has 400 bytes, and few of them come to three bytes a token."""


class Nodes(Suite):
    """Text metrics by kind of node, raw and cut, as everywhere.

    Asked as an editor asks: the kind is not told, and where the answer ends is the server's to
    find. So a kind is wrong for the model's reasons and for the stop rule's, which is what people
    see; ``exact_match`` is of the raw text alone.
    """

    name: ClassVar[str] = "nodes"
    version: ClassVar[str] = BUILDERS["nodes"].version
    about: ClassVar[str] = "whole nodes of nine kinds left out; EM, ES by kind"
    headline: ClassVar[tuple[str, ...]] = ("exact_match" + CUT, "edit_similarity" + CUT)
    default_limit: ClassVar[int] = BUILDERS["nodes"].items

    def load(self, data: Path | None) -> Loaded:
        """Make the items from a tree, or read built ones."""
        return load(self.name, data)

    def ask(self, item: Item) -> Ask:
        """Ask for the node."""
        return Ask(lines="auto", max_tokens=MAX_TOKENS)

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Score the first answer."""
        return text_scores(item, answers)
