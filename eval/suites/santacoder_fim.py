"""SantaCoder-FIM: one line of a HumanEval solution is left out, in Python, JavaScript and Java.

Ben Allal et al., "SantaCoder: don't reach for the stars!" (arXiv:2301.03988) and the
task of the BigCode evaluation harness: the model's middle counts when it equals the solution's
line once blanks around both are stripped. Nothing is cut from a middle there but special tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from completion.errors import UsageError
from eval.data.reading import field, placed_rows, utf8, utf8_text
from eval.data.registry import find
from eval.execution.program import Outcome, Program
from eval.item import Answer, Ask, Item
from eval.suites.base import Loaded, Published, Scores, Suite
from eval.suites.common import text_scores

SANTACODER = "Ben Allal et al. 2023, arXiv:2301.03988"
STARCODER2 = "Lozhkov et al. 2024, arXiv:2402.19173"
DEEPSEEK = "Guo et al. 2024, arXiv:2401.14196"


def _published(santacoder: float, starcoder2: float, deepseek: float) -> tuple[Published, ...]:
    figures = (
        ("SantaCoder-1.1B", santacoder, SANTACODER),
        ("StarCoder2-3B", starcoder2, STARCODER2),
        ("DeepSeek-Coder-1.3B", deepseek, DEEPSEEK),
    )
    return tuple(
        Published(who=who, metric="exact_match", value=value, source=source)
        for who, value, source in figures
    )


class _SantaCoder(Suite):
    """What the three languages share: they lie in one file, told apart by a field."""

    version: ClassVar[str] = "1"
    headline: ClassVar[tuple[str, ...]] = ("exact_match", "exact_match_cut")
    code: ClassVar[str]
    """What the data set calls the language."""
    language: ClassVar[str]
    path: ClassVar[str]
    count: ClassVar[int]
    """Items of the language in the published file."""

    def load(self, data: Path | None) -> Loaded:
        """Read the items of one language."""
        found = find(self.name, data)
        items: list[Item] = []
        seen: Counter[str] = Counter()
        others: Counter[str] = Counter()
        for where, row in placed_rows(found.path):
            code = field(row, "language", str, where)
            if code != self.code:
                others[code] += 1
                continue
            problem = utf8_text(row, "name", where)
            items.append(
                Item(
                    # Several lines of one problem are left out in turn, all under its name.
                    id=f"{self.code}/{problem}/{seen[problem]}",
                    prefix=utf8(row, "prompt", where),
                    suffix=utf8(row, "suffix", where),
                    reference=utf8(row, "canonical_solution", where),
                    language=self.language,
                    path=self.path,
                )
            )
            seen[problem] += 1
        if not items:
            there = ", ".join(f"{number} of {code!r}" for code, number in others.items())
            raise UsageError(f"{found.path}: no items whose language is {self.code!r}, but {there}")
        if found.published and len(items) != self.count:
            raise UsageError(
                f"{found.path}: {len(items)} items of {self.code!r} and not the {self.count} "
                "published: changed; get it again"
            )
        return Loaded(items=items, data=found.data, warnings=list(found.warnings))

    def ask(self, item: Item) -> Ask:
        """Ask for a line."""
        return Ask(lines="single", max_tokens=96)

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return the text scores; their exact match is the published one."""
        return text_scores(item, answers)


class Python(_SantaCoder):
    """1043 items."""

    name = "santacoder-fim:py"
    about = "one line of a Python HumanEval solution left out; exact match after strip"
    code, language, path, count = "py", "python", "solution.py", 1043
    published = _published(0.44, 0.59, 0.57)


class JavaScript(_SantaCoder):
    """1969 items."""

    name = "santacoder-fim:js"
    about = "one line of a JavaScript HumanEval solution left out; exact match after strip"
    code, language, path, count = "js", "javascript", "solution.js", 1969
    published = _published(0.60, 0.73, 0.72)


class Java(_SantaCoder):
    """1780 items."""

    name = "santacoder-fim:java"
    about = "one line of a Java HumanEval solution left out; exact match after strip"
    code, language, path, count = "java", "java", "Problem.java", 1780
    published = _published(0.62, 0.75, 0.82)
