"""The interface of a suite: items out of a data set, a question for each, scores of the answers.

A suite is one small file with a version; it counts up whenever a figure could change. Everything
in it is pure but :meth:`Suite.load`. The runner asks, runs programs, keeps the journal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from eval.engines.base import Engine
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item

Scores = dict[str, float | tuple[float, float]]
"""By metric. A pair is a part and its whole: the metric is the sum of parts over the sum of
wholes (characters saved of characters typed, bits of bytes). A metric that does not apply to an
item is left out, and so its ``n`` is smaller."""

CUT = "_cut"
"""Ends the name of a metric of the text behind stop rule and filters. The plain name is the
protocol as published, on the model's own text."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The items of a suite and what they were read from."""

    items: list[Item]
    data: Mapping[str, Any]
    """For the result: ``source`` (a file's or a tree's name, no path of this machine), ``sha256``,
    ``licence``, and ``published`` (whether it is the data set that published figures are of)."""
    warnings: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A figure somebody published, to stand beside ours; each in its own protocol."""

    who: str
    metric: str
    value: float
    """A share, 0 to 1."""
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """How many answers are drawn for each item, and how; what the command line says."""

    samples: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    healing: str = "default"


class Suite(ABC):
    """One benchmark."""

    name: ClassVar[str]
    """``humaneval-infilling:single-line``."""
    version: ClassVar[str]
    about: ClassVar[str]
    """One line: what is asked and how it is scored."""
    headline: ClassVar[tuple[str, ...]]
    """The metrics that a table with room for two shows."""
    default_limit: ClassVar[int] = 0
    """Items when ``--limit`` is not given; 0: all."""
    one_at_a_time: ClassVar[bool] = False
    """Whether one item is in flight whatever the number of workers: its latency is one user's."""
    published: ClassVar[tuple[Published, ...]] = ()
    baselines: ClassVar[tuple[str, ...]] = ("nearest-line", "ngram")
    """Engines without a model that a model has to beat here."""

    @abstractmethod
    def load(self, data: Path | None) -> Loaded:
        """Read the items, in the data set's order, from ``--data`` or where they usually lie.

        Raises:
            UsageError: the data is missing (and how to get it), cut off, or not what it claims.
        """

    @abstractmethod
    def ask(self, item: Item) -> Ask:
        """Return how the item is asked, greedily."""

    @abstractmethod
    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return the scores of an item from its samples; ``outcomes`` has every program of
        :meth:`programs`."""

    def programs(self, item: Item, answers: Sequence[Answer]) -> list[Program]:
        """Return what has to be run before the item can be judged; nothing, mostly."""
        return []

    async def answers(self, item: Item, engine: Engine, draw: Draw) -> list[Answer]:
        """Ask ``engine`` and return the samples of one item."""
        ask = replace(
            self.ask(item), temperature=draw.temperature, top_p=draw.top_p, healing=draw.healing
        )
        return [
            await engine.answer(
                item, replace(ask, seed=draw.seed + number if draw.temperature else None)
            )
            for number in range(draw.samples)
        ]

    async def stop(self) -> None:  # noqa: B027
        """Free what asking has started. Safe to repeat."""
