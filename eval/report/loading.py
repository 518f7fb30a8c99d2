"""Results and training curves from files, checked field by field before anything is drawn.

:func:`eval.result.read_result` says whether a file is a result; here every value is held against
the type that its field declares, so that a damaged file is one line and not a page half made.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from completion.errors import UsageError
from eval.result import Result, read_result


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What a training run logged."""

    name: str
    trained: list[tuple[float, float]]
    """Tokens, bits per byte of the batch."""
    held_out: list[tuple[float, float]]


def load(path: Path) -> Result:
    """Read a result.

    Raises:
        UsageError: there is none, or something in it is not what it should be.
    """
    try:
        result = read_result(path)
    except RecursionError:
        raise UsageError(f"{path}: not a result file (nested too deep)") from None
    wrong = _wrong(result, Result, "") or _wrong_scores(result)
    if wrong:
        raise UsageError(f"{path}: a damaged result: {wrong}; run the suite again")
    return result


def load_curve(path: Path) -> Curve:
    """Read the ``metrics.jsonl`` of a training run, or the one in a run's folder.

    A last line that is not yet complete is left out: the run may still be going on.

    Raises:
        UsageError: there is none, a row is damaged, or none has bits per byte.
    """
    file = path / "metrics.jsonl" if path.is_dir() else path
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not a training log (no UTF-8)") from None
    trained: list[tuple[float, float]] = []
    held_out: list[tuple[float, float]] = []
    for number, line in enumerate(lines[:-1], 1):  # what follows the last line break is unfinished
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            for found, name in (trained, "bits_per_byte"), (held_out, "held_out_bits_per_byte"):
                if name in row:
                    found.append((_finite(row["tokens"]), _finite(row[name])))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise UsageError(
                f"{file}: line {number} is no row of a training log (want tokens and bits_per_byte)"
            ) from None
    if not trained and not held_out:
        raise UsageError(f"{file}: no row with bits_per_byte; --training wants a metrics.jsonl")
    return Curve(name=file.resolve().parent.name, trained=trained, held_out=held_out)


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _wrong_scores(result: Result) -> str:
    """Return the first score that is neither a number nor a part and its whole."""
    rows = [(f"item {record.id}", record.scores) for record in result.items]
    for name, baseline in result.baselines.items():
        rows += [(f"item {i} of {name}", scores) for i, scores in baseline.scores.items()]
    for who, scores in rows:
        for metric, score in scores.items():
            parts = score if isinstance(score, list) and len(score) == 2 else [score]
            wrongs = (_wrong(part, float, f"the score {metric} of {who}") for part in parts)
            wrong = next(filter(None, wrongs), "")
            if wrong:
                return wrong
    return ""


def _wrong(value: Any, want: Any, where: str) -> str:
    """Return what is not of type ``want`` in ``value``, first find; empty: nothing."""
    if want is Any:
        return ""
    if get_origin(want) in (types.UnionType, Union):
        wrongs = [_wrong(value, choice, where) for choice in get_args(want)]
        return "" if "" in wrongs else wrongs[0]
    if dataclasses.is_dataclass(want):
        if not isinstance(value, want):  # pyright: ignore[reportArgumentType]
            return _not(value, where, "an object")
        checks = _fields(want)
        found = (_wrong(getattr(value, n), t, f"{where}.{n}" if where else n) for n, t in checks)
        return next(filter(None, found), "")
    if get_origin(want) is dict:
        inner = get_args(want)[1]
        if not isinstance(value, dict):
            return _not(value, where, "an object")
        return next(filter(None, (_wrong(v, inner, f"{where}.{k}") for k, v in value.items())), "")
    if get_origin(want) is list:
        (inner,) = get_args(want)
        if not isinstance(value, list):
            return _not(value, where, "a list")
        wrongs = (_wrong(v, inner, f"{where}[{n}]") for n, v in enumerate(value))
        return next(filter(None, wrongs), "")
    if want is float or want is int:
        number = isinstance(value, int if want is int else int | float)
        finite = number and not isinstance(value, bool) and math.isfinite(value)
        return "" if finite else _not(value, where, "a number")
    if want is type(None):
        return "" if value is None else _not(value, where, "null")
    return "" if isinstance(value, want) else _not(value, where, "a text")


@cache
def _fields(kind: Any) -> list[tuple[str, Any]]:
    return list(get_type_hints(kind).items())


def _not(value: Any, where: str, want: str) -> str:
    return f"{where} should be {want}, and is {json.dumps(value, default=str)[:40]}"
