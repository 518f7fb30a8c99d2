"""Failure rates of a checkpoint, as the harness measured them, into the mixture of a recipe.

Lives here: reading what is needed of a result file of ``caret eval`` and refusing what does not
tell it. What the rates do is :func:`training.objectives.mixture.harder`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from completion.errors import UsageError
from training.objectives.mixture import LEAST_ITEMS, RANDOM, SHARES, harder
from training.recipe import Recipe

SCHEMA = 1
"""Of result files, as ``eval.result`` counts it; training does not import the harness."""
METRICS = ("exact_match_cut", "exact_match")
"""What counts as right, the first that a result has: what an editor would have inserted, since the
paper's rates are of what people accepted; a small model's raw text is hardly ever right at all."""
_AGAIN = "caret eval nodes --json FILE measures one"


def with_curriculum(recipe: Recipe, result: Path) -> Recipe:
    """Return ``recipe`` with its mixture of middles moved to what ``result`` says goes wrong."""
    middles = harder(recipe.data.middles, failure_rates(result))
    return replace(recipe, data=replace(recipe.data, middles=middles))


def failure_rates(path: Path) -> dict[str, float]:
    """Return the share of wrong answers by kind of middle, of kinds with enough items.

    Raises:
        UsageError: there is no such file, or it is no result whose groups are kinds of middles.
    """
    table = _read(path)
    suite, groups = table["suite"], table["groups"]
    kinds = [kind for kind in SHARES if kind != RANDOM and kind in groups]
    if not kinds:
        raise UsageError(
            f"--curriculum-from {path}: a result of {suite}, whose groups are no kinds of middles; "
            f"{_AGAIN}"
        )
    rates: dict[str, float] = {}
    for kind in kinds:
        found = next((groups[kind][name] for name in METRICS if name in groups[kind]), None)
        if found is None:
            raise UsageError(f"--curriculum-from {path}: {suite} has no exact match; {_AGAIN}")
        value, count = _figure(path, found)
        if count >= LEAST_ITEMS:
            rates[kind] = 1 - value
    if not rates:
        raise UsageError(
            f"--curriculum-from {path}: fewer than {LEAST_ITEMS} items of every kind of middle; "
            "run the suite again with a larger --limit"
        )
    return rates


def _read(path: Path) -> dict[str, Any]:
    """Return the table of a result file of the schema that is known here."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--curriculum-from {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"--curriculum-from {path}: is no JSON; {_AGAIN}") from None
    table = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
    if "suite" not in table or "schema" not in table:
        raise UsageError(f"--curriculum-from {path}: is no result of caret eval; {_AGAIN}")
    if table["schema"] != SCHEMA:
        raise UsageError(
            f"--curriculum-from {path}: a result of schema {table['schema']}, not {SCHEMA}; "
            "run the suite again"
        )
    groups: Any = table.get("groups")
    if not isinstance(groups, dict) or not all(
        isinstance(found, dict) for found in cast("dict[str, Any]", groups).values()
    ):
        raise UsageError(f"--curriculum-from {path}: a damaged result; run the suite again")
    return table


def _figure(path: Path, found: Any) -> tuple[float, float]:
    """Return a metric's value, a share, and how many items it is of."""
    metric = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    value, count = metric.get("value"), metric.get("n")
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in (value, count))
    if not numbers or not 0 <= cast(float, value) <= 1:
        raise UsageError(f"--curriculum-from {path}: a damaged result; run the suite again")
    return cast(float, value), cast(float, count)
