"""SAFIM: a syntactic unit of a program is left out; the program is run, or the call compared.

Gong et al., "Evaluation of LLMs on Syntax-Aware Code Fill-in-the-Middle Tasks" (arXiv:2403.04814).
Blocks and control expressions of contest solutions pass when the completed program answers every
unit test; a call of a library matches when it is the same but for blanks, in Python when it has the
same arguments. The model is given the published prompt, which begins with a line of instruction and
the problem's text, split at its placeholder.

``_truncated`` metrics are of the raw text behind the published syntax-aware truncation, which the
published figures of control and API completion are of: to the first line (Python) or to the bracket
that closes what was open before; a call up to its first closing bracket, which cuts 15 of the 310
references themselves. The published truncation of blocks parses all four languages and is not done
here.

Other than published: Python runs on CPython with thrice the time, not on PyPy; C# is not run, and
left out of pass@1.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from completion.errors import UsageError
from eval.data.reading import field, placed_rows, utf8, utf8_text
from eval.data.registry import find
from eval.execution.program import Case, Outcome, Program
from eval.item import Answer, Ask, Item, to_text
from eval.suites.base import CUT, Loaded, Scores, Suite
from eval.suites.common import cut_against, pass_at, text_scores

PATHS = {
    "python": "solution.py",
    "cpp": "solution.cpp",
    "java": "Main.java",
    "csharp": "Program.cs",
}
TRUNCATED = "_truncated"
_HOLE = "{{completion}}"
_SECONDS = {"python": 15.0, "cpp": 5.0, "java": 10.0, "csharp": 10.0}
_MEMORY_MIB = 2048


class _Safim(Suite):
    """What the three share: the format, and the published prompt."""

    version: ClassVar[str] = "1"
    lines: ClassVar[str] = "multi"
    max_tokens: ClassVar[int] = 128
    tested: ClassVar[bool] = True
    """Whether every item has unit tests."""

    def load(self, data: Path | None) -> Loaded:
        """Read the items of the published JSON lines."""
        found = find(self.name, data)
        items: list[Item] = []
        for where, row in placed_rows(found.path):
            items.append(_item(row, where, self.tested))
        return Loaded(items=items, data=found.data, warnings=list(found.warnings))

    def ask(self, item: Item) -> Ask:
        """Ask for the unit's kind of text."""
        return Ask(lines=self.lines, max_tokens=self.max_tokens)


class _Run(_Safim):
    """Scored by unit tests."""

    headline = ("pass@1", "pass@1_cut")

    def programs(self, item: Item, answers: Sequence[Answer]) -> list[Program]:
        """Return each sample's program, in every form that is scored."""
        every = [program for form in self._forms(item, answers).values() for program in form]
        return [program for program in every if program is not None]

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return pass@k over the samples and the text scores of the first.

        The reference itself passes however it ran, as published.
        """
        scores = text_scores(item, answers)
        right = {_program(item, item.reference, b"")}
        for end, programs in self._forms(item, answers).items():
            scores |= pass_at(programs, outcomes, end, right, item.language)
        return scores

    def truncate(self, item: Item, text: str) -> str | None:
        """Cut a raw text as published; ``None``: this suite does not."""
        return None

    def _forms(self, item: Item, answers: Sequence[Answer]) -> dict[str, list[Program | None]]:
        forms: dict[str, list[Program | None]] = {"": [], CUT: []}
        for answer in answers:
            raw, cut = answer.raw, answer.cut
            forms[""].append(None if raw is None else _program(item, raw, b""))
            replaced = item.suffix[: answer.replace_after]
            forms[CUT].append(None if cut is None else _program(item, cut, replaced))
            shorter = None if raw is None else self.truncate(item, to_text(raw))
            if shorter is not None:
                made = _program(item, shorter.encode("utf-8", "surrogateescape"), b"")
                forms.setdefault(TRUNCATED, []).append(made)
            elif raw is None and self.truncate(item, "") is not None:
                forms.setdefault(TRUNCATED, []).append(None)
        return forms


class Block(_Run):
    """A block of an algorithm: 8781 items."""

    name = "safim:block"
    about = "a block of a contest solution left out; pass@1 by running its unit tests"
    max_tokens = 256


class Control(_Run):
    """The expression that steers a loop or a branch: 8629 items."""

    name = "safim:control"
    about = "a control-flow expression left out; pass@1 by running its unit tests"
    lines = "single"

    def truncate(self, item: Item, text: str) -> str:
        """Return the first line (Python), or what comes before a bracket too many."""
        return control_expression(text, item.language)


class Api(_Safim):
    """A call of a library: 310 items."""

    name = "safim:api"
    about = "a library call left out; syntactic match with the one that was there"
    headline = ("syntax_match", "syntax_match_cut")
    tested = False

    def judge(
        self, item: Item, answers: Sequence[Answer], outcomes: Mapping[Program, Outcome]
    ) -> Scores:
        """Return whether the first sample's call matches, and its text scores."""
        answer = answers[0] if answers else Answer()
        text, _, reference = cut_against(item, answer)
        raw = answer.raw
        call = None if raw is None else first_call(to_text(raw)).encode("utf-8", "surrogateescape")
        scores = text_scores(item, answers)
        for end, ours, theirs in (
            ("", raw, item.reference),
            (CUT, text, reference),
            (TRUNCATED, call, item.reference),
        ):
            same = ours is not None and syntax_match(to_text(ours), to_text(theirs), item.language)
            scores["syntax_match" + end] = float(same)
        return scores


def syntax_match(ours: str, theirs: str, language: str) -> bool:
    """Return whether two calls are the same by the published rule.

    All blanks are left out first. Two Python calls are then the same when their positional
    arguments are, in order, and their keyword arguments by name; what is called is not compared.
    Anything else has to be equal.
    """
    ours, theirs = (re.sub(r"\s+", "", text) for text in (ours, theirs))
    if language == "python":
        calls = [_call(ours), _call(theirs)]
        if calls[0] is not None and calls[1] is not None:
            return calls[0] == calls[1]
    return ours == theirs


def _call(text: str) -> tuple[list[str], dict[str | None, str]] | None:
    try:
        body = ast.parse(text, mode="eval").body
        if not isinstance(body, ast.Call):
            return None
        named = {keyword.arg: ast.dump(keyword.value) for keyword in body.keywords}
        return [ast.dump(argument) for argument in body.args], named
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # no expression, or one that is nested too deeply


def control_expression(text: str, language: str) -> str:
    """Cut a control-flow expression as published."""
    if language == "python":
        return next((line for line in text.splitlines() if line.strip()), "")
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return text[:at]
    return text


def first_call(text: str) -> str:
    """Cut a call as published: behind the bracket that closes its first."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == ")" and depth <= 0:
            return text[: at + 1]
    return text


def _item(row: Mapping[str, Any], where: str, tested: bool) -> Item:
    language = field(row, "lang", str, where)
    if language not in PATHS:
        raise UsageError(f"{where}: lang {language!r} is none of {', '.join(PATHS)}")
    hole = "# TODO: Your code here" if language == "python" else "/* TODO: Your code here */"
    parts = utf8_text(row, "prompt", where).split(hole)
    around = utf8_text(row, "eval_prompt", where).split(_HOLE)
    if len(parts) != 2 or len(around) != 2:
        raise UsageError(f"{where}: prompt or eval_prompt has no one place to complete")
    cases = _cases(row, where)
    if tested and not cases:
        raise UsageError(f"{where}: no unit_tests; is this the file of another SAFIM task?")
    return Item(
        id=utf8_text(row, "task_id", where),
        prefix=parts[0].encode(),
        suffix=parts[1].encode(),
        reference=utf8(row, "ground_truth", where),
        language=language,
        path=PATHS[language],
        kind=language,
        data={"before": around[0], "after": around[1], "cases": cases},
    )


def _cases(row: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The unit tests; the hub's copy of the data has them as JSON in a text."""
    found = row.get("unit_tests") or []
    try:
        tests = json.loads(found) if isinstance(found, str) else found
        cases = [{"stdin": test["input"], "outputs": list(test["output"])} for test in tests]
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{where}: unit_tests is no list of inputs and outputs") from None
    if not all(
        isinstance(part, str) for case in cases for part in (case["stdin"], *case["outputs"])
    ):
        raise UsageError(f"{where}: unit_tests is no list of inputs and outputs")
    for part in (part for case in cases for part in (case["stdin"], *case["outputs"])):
        utf8({"unit_tests": part}, "unit_tests", where)
    return cases


def _program(item: Item, middle: bytes, replaced: bytes) -> Program:
    after = item.data["after"].encode("utf-8", "surrogateescape")
    middle += after[len(replaced) :] if after.startswith(replaced) else after
    return Program(
        language=item.language,
        source=item.data["before"] + to_text(middle),
        cases=tuple(
            Case(stdin=case["stdin"], outputs=tuple(case["outputs"])) for case in item.data["cases"]
        ),
        seconds=_SECONDS[item.language],
        memory_mib=_MEMORY_MIB,
    )
