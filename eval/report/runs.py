"""The runs of a report: what each is called, which belong together, which figure stands for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from eval.result import Metric, Record, Result, has_cut
from eval.suites import suite_named
from eval.suites.base import CUT, Suite

_HEADLINES = ("pass@1", "exact_match", "accuracy", "edit_similarity", "chars_saved")
"""Tried in this order where the suite is unknown to this Caret."""

ENDED = "ended_by_model"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A result with the name it goes by in the report."""

    label: str
    file: str
    result: Result


@dataclass(frozen=True, kw_only=True)
class Group:
    """The runs of one suite, in the order in which they were named."""

    name: str
    suite: Suite | None
    """``None``: this Caret does not know it."""
    runs: tuple[Run, ...]
    headline: str
    """The metric that stands for the suite, without :data:`eval.suites.base.CUT`."""

    @property
    def anchor(self) -> str:
        """The id of its section."""
        return "suite-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in self.name)

    @property
    def has_cut(self) -> bool:
        """Whether raw and cut texts are told apart; else every metric has one value."""
        return any(has_cut(run.result) for run in self.runs)

    @property
    def asks_for_text(self) -> bool:
        """Whether any run had a raw text, or metrics of one: replay and bits never ask for it."""
        return any(
            has_cut(run.result)
            or ENDED in run.result.metrics
            or not run.result.items
            or any(record.raw is not None for record in run.result.items)
            for run in self.runs
        )

    @property
    def metrics(self) -> list[str]:
        """The metrics of its runs, the headline first, each once and without CUT."""
        names = [self.headline] + [base(n) for run in self.runs for n in run.result.metrics]
        return list(dict.fromkeys(name for name in names if name))


def grouped(results: Sequence[tuple[Path, Result]]) -> list[Group]:
    """Return the results by suite, each run named."""
    by_suite: dict[str, list[tuple[Path, Result]]] = {}
    for path, result in results:
        by_suite.setdefault(result.suite, []).append((path, result))
    return [_group(name, found) for name, found in by_suite.items()]


def base(metric: str) -> str:
    """Return the name of a metric without what says that it is of the cut text."""
    return metric.removesuffix(CUT)


def both(metrics: dict[str, Metric], name: str) -> tuple[Metric | None, Metric | None]:
    """Return the metric of the raw and of the cut text."""
    return metrics.get(name), metrics.get(name + CUT)


def share(record: Record, metric: str) -> float | None:
    """Return an item's score as one number: of a pair, the part over the whole."""
    score = record.scores.get(metric)
    if isinstance(score, list | tuple):
        part, whole = score
        return part / whole if whole else None
    return score


def n_items(result: Result) -> int:
    """Return how many items the result is of, also where its records were left out."""
    return len(result.items) or max((metric.n for metric in result.metrics.values()), default=0)


def _group(name: str, found: list[tuple[Path, Result]]) -> Group:
    suite = _known(name)
    labels = _labels(found)
    runs = tuple(
        Run(label=label, file=path.name, result=result)
        for label, (path, result) in zip(labels, found, strict=True)
    )
    return Group(name=name, suite=suite, runs=runs, headline=_headline(suite, found[0][1]))


def _known(name: str) -> Suite | None:
    try:
        return suite_named(name)
    except (UsageError, ImportError):  # of another Caret, or with a part that is not installed
        return None


def _headline(suite: Suite | None, result: Result) -> str:
    wanted = [*(suite.headline if suite else ()), *_HEADLINES, *result.metrics]
    there = (
        base(n) for n in wanted if base(n) in result.metrics or base(n) + CUT in result.metrics
    )
    return next(there, "")


def _labels(found: list[tuple[Path, Result]]) -> list[str]:
    """Name runs by model, and where that does not tell them apart, by what does."""
    names = [str(result.model.get("name") or result.engine or path.stem) for path, result in found]
    labels: list[str] = []
    for name, (path, result) in zip(names, found, strict=True):
        alike = [r for other, (_, r) in zip(names, found, strict=True) if other == name]
        told = _differing(result, alike) if len(alike) > 1 else []
        label = f"{name} ({', '.join(told)})" if told else name
        labels.append(label if len(alike) == 1 or told else f"{name} ({path.stem})")
    for number, label in enumerate(labels):  # the same file twice, or files of one name
        if label in labels[:number]:
            labels[number] = f"{label} #{labels[:number].count(label) + 1}"
    return labels


def _differing(result: Result, alike: list[Result]) -> list[str]:
    tables = [_facts(r) for r in alike]
    mine = _facts(result)
    keys = [key for key in mine if len({json.dumps(t.get(key), default=str) for t in tables}) > 1]
    return [f"{key.rpartition('.')[2]} {_short(mine[key])}" for key in keys[:3]]


def _facts(result: Result) -> dict[str, Any]:
    """Return what may tell two runs of one model apart, the telling ones first."""
    facts = {f"options.{k}": v for k, v in sorted(result.options.items()) if k not in _UNTELLING}
    facts |= {f"model.{k}": v for k, v in sorted(result.model.items()) if k != "name"}
    return facts | {"engine": result.engine, "commit": result.caret.get("commit", "")}


_UNTELLING = frozenset(("json", "command", "resume", "server", "out"))
"""Options that change no figure. ``workers`` does: sums depend on what else is in the batch."""


def _short(value: Any) -> str:
    written = value if isinstance(value, str) else json.dumps(value, default=str)
    return written[:16] or "none"
