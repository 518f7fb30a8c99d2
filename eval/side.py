"""One side of a comparison: a run, or a baseline that is kept in a run's result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from eval.metrics.summary import Score
from eval.result import Result, read_result


@dataclass(frozen=True, kw_only=True)
class Side:
    """Who is compared, and its scores."""

    file: str
    path: Path = Path()
    baseline: str
    """Its name; empty: the run itself."""
    result: Result
    scores: Mapping[str, Mapping[str, Score]]
    """By item and metric."""

    @property
    def who(self) -> str:
        """Who answered."""
        return f"{_name(self)}, {'the baseline' if self.baseline else self.result.engine}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Differing:
    """A setting that is not the same; ``None``: this side has none of the name."""

    name: str
    a: Any
    b: Any


def read_side(word: str) -> Side:
    """Read ``FILE`` or ``FILE:BASELINE``. A file that has such a name goes first.

    Raises:
        UsageError: there is no such result, it is damaged, or there is no such baseline in it.
    """
    path, baseline = Path(word), ""
    if not path.exists() and ":" in word:
        file, _, name = word.rpartition(":")
        path, baseline = (Path(file), name) if Path(file).exists() else (path, "")
    result = read_result(path)
    if not baseline:
        scores: Mapping[str, Any] = {record.id: record.scores for record in result.items}
    elif baseline in result.baselines:
        scores = result.baselines[baseline].scores
    else:
        names = ", ".join(result.baselines) or "none"
        raise UsageError(f"{path}: no baseline {baseline} in it; there is {names}")
    return Side(file=path.name, path=path, baseline=baseline, result=result, scores=scores)


def differing(a: Side, b: Side) -> list[Differing]:
    """Return the settings of model, engine, options, data, program and machine that differ.

    A baseline has no settings but its name.
    """
    if a.baseline or b.baseline:
        ours, theirs = ({"model.name": _name(side)} for side in (a, b))
    else:
        ours, theirs = _settings(a.result), _settings(b.result)
    return [
        Differing(name=name, a=ours.get(name), b=theirs.get(name))
        for name in dict.fromkeys([*ours, *theirs])
        if ours.get(name) != theirs.get(name)
    ]


def _name(side: Side) -> str:
    return side.baseline or side.result.model.get("name") or "a model without a name"


def _settings(result: Result) -> dict[str, Any]:
    """Return what a run was made with, flat."""
    table = {"model": result.model, "engine": result.engine, "options": result.options}
    table |= {"data": result.data, "caret": result.caret, "machine": result.machine}
    return _flat(table, "")


def _flat(table: Mapping[str, Any], above: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= (
            _flat(value, f"{above}{name}.") if isinstance(value, dict) else {above + name: value}
        )
    return found
