"""Which rows an ablation has: the recipe as it is, with nothing, and with one objective off.

Pure. An objective is a set of recipe keys that are switched off together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from completion.errors import UsageError
from training.objectives.mixture import SHARES
from training.recipe import Recipe

ALL_ON, ALL_OFF, WITHOUT = "all_on", "all_off", "no_"

OBJECTIVES: dict[str, dict[str, Any]] = {
    "horizon": {"objectives.horizon": 0.0},
    "next_type": {"objectives.next_type": 0.0},
    "statement": {"objectives.statement": 0.0},
    "dual": {"objectives.body_from_docstring": 0.0, "objectives.docstring_from_body": 0.0},
    "identifier": {"objectives.identifier": 0.0, "objectives.declaration": 0.0},
    "masked_identifiers": {"objectives.masked_identifiers": 0.0},
    "context": {"data.definitions_rate": 0.0},
    "curriculum": {"data.middles": SHARES},
    "order": {"data.order": "shuffled"},
}
"""By name: the keys that make it up, ``section.key``, and their values when it is off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    recipe: Recipe
    off: tuple[str, ...]
    """The objectives of the whole recipe that this one lacks."""


def objectives_on(recipe: Recipe) -> list[str]:
    """Return the names of the objectives that ``recipe`` trains with."""
    return [
        name
        for name, keys in OBJECTIVES.items()
        if any(_get(recipe, key) != off for key, off in keys.items())
    ]


def rows_of(recipe: Recipe, names: Sequence[str] = ()) -> list[Row]:
    """Return the rows of ``recipe``, the whole one first; of these only ``names`` where given.

    Raises:
        UsageError: no objective is on, or a name is not that of a row.
    """
    on = objectives_on(recipe)
    if not on:
        raise UsageError(
            "recipe: every objective is off, there is nothing to switch off; set values in "
            "[objectives], or give --objectives defaults"
        )
    offs: dict[str, tuple[str, ...]] = {ALL_ON: (), ALL_OFF: tuple(on)}
    offs |= {WITHOUT + name: (name,) for name in on}
    if unknown := [name for name in names if name not in offs]:
        raise UsageError(f"--rows {unknown[0]}: no such row of this recipe ({', '.join(offs)})")
    if names and ALL_ON not in names:
        raise UsageError(f"--rows: needs {ALL_ON}, which the others are held against")
    return [
        Row(name=name, recipe=_without(recipe, off), off=off)
        for name, off in offs.items()
        if not names or name in names
    ]


def _without(recipe: Recipe, names: Sequence[str]) -> Recipe:
    for name in names:
        for key, off in OBJECTIVES[name].items():
            section, _, field = key.partition(".")
            part = dataclasses.replace(getattr(recipe, section), **{field: off})
            recipe = dataclasses.replace(recipe, **{section: part})
    return recipe


def _get(recipe: Recipe, key: str) -> Any:
    section, _, field = key.partition(".")
    return getattr(getattr(recipe, section), field)
