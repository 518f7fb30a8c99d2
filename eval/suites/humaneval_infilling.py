"""HumanEval-Infilling: a span of a solved problem is left out; what is filled in is run.

Bavarian et al., "Efficient Training of Language Models to Fill in the Middle" (arXiv:2207.14255),
and the rule of the published evaluation: a sample passes when prompt, completion, suffix, tests
and the call of ``check`` run through as one program. Nothing is cut from a completion there, so
``pass@k`` is of the model's own middle and ``pass@k_cut`` of what an editor would insert.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from eval.data.reading import own_task, placed_rows, utf8, utf8_text
from eval.data.registry import find
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item, to_text
from eval.suites.base import Loaded, Published, Scores, Suite
from eval.suites.common import cut_middle, pass_scores, text_scores

FIM = "Bavarian et al. 2022, arXiv:2207.14255"
INCODER = "Fried et al. 2022, arXiv:2204.05999"
CODEGEMMA = "CodeGemma Team 2024, arXiv:2406.11409"
CODE_LLAMA = "Rozière et al. 2023, arXiv:2308.12950"

_TASKS = {
    "SingleLineInfilling/": "humaneval-infilling:single-line",
    "MultiLineInfilling/": "humaneval-infilling:multi-line",
    "RandomSpanInfilling/": "humaneval-infilling:random-span",
    "RandomSpanInfillingLight/": "humaneval-infilling:random-span-light",
}
"""How a task_id of each file begins."""


def _published(*figures: tuple[str, float, str]) -> tuple[Published, ...]:
    return tuple(
        Published(who=who, metric="pass@1", value=value, source=source)
        for who, value, source in figures
    )


class _Infilling(Suite):
    """What the four share: the format, the program and the scores."""

    version: ClassVar[str] = "1"
    headline: ClassVar[tuple[str, ...]] = ("pass@1", "pass@1_cut")
    lines: ClassVar[str] = "multi"
    max_tokens: ClassVar[int] = 256

    def load(self, data: Path | None) -> Loaded:
        """Read the items of the published JSON lines."""
        found = find(self.name, data)
        items: list[Item] = []
        for where, row in placed_rows(found.path):
            items.append(_item(row, where))
            own_task(items[-1].id, self.name, _TASKS, where)
        return Loaded(items=items, data=found.data, warnings=list(found.warnings))

    def ask(self, item: Item) -> Ask:
        """Ask for the span's kind of text."""
        return Ask(lines=self.lines, max_tokens=self.max_tokens)

    def programs(self, item: Item, answers: Sequence[Answer]) -> list[Program]:
        """Return each sample's program, raw and cut."""
        both = _raw(item, answers) + _cut(item, answers)
        return [program for program in both if program is not None]

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return pass@k over the samples and the text scores of the first."""
        passes = pass_scores(_raw(item, answers), _cut(item, answers), outcomes)
        return passes | text_scores(item, answers)


def _item(row: dict[str, object], where: str) -> Item:
    return Item(
        id=utf8_text(row, "task_id", where),
        prefix=utf8(row, "prompt", where),
        suffix=utf8(row, "suffix", where),
        reference=utf8(row, "canonical_solution", where),
        path="solution.py",
        data={
            "test": utf8_text(row, "test", where),
            "entry_point": utf8_text(row, "entry_point", where),
        },
    )


def _raw(item: Item, answers: Sequence[Answer]) -> list[Program | None]:
    return [
        None if answer.raw is None else _program(item, answer.raw + item.suffix)
        for answer in answers
    ]


def _cut(item: Item, answers: Sequence[Answer]) -> list[Program | None]:
    texts = [cut_middle(item, answer) for answer in answers]
    return [None if text is None else _program(item, text) for text in texts]


def _program(item: Item, rest: bytes) -> Program:
    tests = f"\n{item.data['test']}\ncheck({item.data['entry_point']})"
    return Program(language="python", source=to_text(item.prefix + rest) + tests)


class SingleLine(_Infilling):
    """One line of the solution is left out: 1033 items."""

    name = "humaneval-infilling:single-line"
    about = "one line of a HumanEval solution left out; pass@1 by running its tests"
    lines = "single"
    max_tokens = 96
    published = _published(
        ("FIM 844M", 0.622, FIM),
        ("FIM 6.9B", 0.751, FIM),
        ("InCoder-6.7B", 0.690, INCODER),
        ("CodeGemma-2B", 0.784, CODEGEMMA),
        ("Code Llama 7B", 0.833, CODE_LLAMA),
    )


class MultiLine(_Infilling):
    """Some adjacent lines of the solution are left out: 5815 items."""

    name = "humaneval-infilling:multi-line"
    about = "adjacent lines of a HumanEval solution left out; pass@1 by running its tests"
    published = _published(
        ("FIM 844M", 0.305, FIM),
        ("FIM 6.9B", 0.441, FIM),
        ("InCoder-6.7B", 0.386, INCODER),
        ("CodeGemma-2B", 0.514, CODEGEMMA),
        ("Code Llama 7B", 0.508, CODE_LLAMA),
    )


class RandomSpan(_Infilling):
    """A span between two random characters of the solution is left out: 1640 items."""

    name = "humaneval-infilling:random-span"
    about = "a random span of a HumanEval solution left out; pass@1 by running its tests"
    published = _published(
        ("FIM 844M", 0.420, FIM),
        ("FIM 6.9B", 0.551, FIM),
        ("Code Llama 7B", 0.597, CODE_LLAMA),
    )


class RandomSpanLight(_Infilling):
    """One random span a problem: 164 items. No published figure is of these alone."""

    name = "humaneval-infilling:random-span-light"
    about = "one random span of each HumanEval solution left out; pass@1 by running its tests"
