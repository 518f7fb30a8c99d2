from __future__ import annotations

from dataclasses import fields, replace

import pytest

from completion.errors import UsageError
from training.ablate.rows import OBJECTIVES, objectives_on, rows_of
from training.objectives.mixture import harder
from training.recipe import PLAIN, ObjectivesRecipe, Recipe


def test_each_row_lacks_its_own_objective_and_nothing_else(recipe: Recipe) -> None:
    rows = {row.name: row for row in rows_of(recipe)}
    assert list(rows) == [
        "all_on", "all_off", "no_horizon", "no_next_type", "no_statement", "no_dual", "no_identifier",
    ]  # fmt: skip
    assert rows["all_on"].recipe == recipe
    assert rows["all_off"].recipe == replace(recipe, objectives=PLAIN)
    dual = replace(recipe.objectives, body_from_docstring=0.0, docstring_from_body=0.0)
    assert rows["no_dual"].recipe == replace(recipe, objectives=dual)
    on = objectives_on(recipe)
    for name in on:
        assert objectives_on(rows[f"no_{name}"].recipe) == [other for other in on if other != name]


def test_what_is_in_the_data_is_an_objective_too(recipe: Recipe) -> None:
    middles = harder(recipe.data.middles, {"arguments": 0.9, "name": 0.1})
    data = replace(recipe.data, definitions_rate=0.3, middles=middles, order="repository")
    changed = replace(recipe, data=data)
    assert objectives_on(changed)[-3:] == ["context", "curriculum", "order"]
    rows = {row.name: row.recipe for row in rows_of(changed)}
    assert rows["no_curriculum"].data == replace(data, middles=recipe.data.middles)
    assert rows["no_context"].data == replace(data, definitions_rate=0.0)
    assert rows["no_order"].data == replace(data, order="shuffled")
    assert rows["all_off"] == replace(recipe, objectives=PLAIN)


def test_every_weight_of_the_recipe_belongs_to_an_objective() -> None:
    keys = {key for table in OBJECTIVES.values() for key in table}
    weights = {f"objectives.{f.name}" for f in fields(ObjectivesRecipe)}
    assert weights - {"objectives.horizon_form"} <= keys


def test_rows_are_chosen_by_name(recipe: Recipe) -> None:
    assert [r.name for r in rows_of(recipe, ["no_dual", "all_on"])] == ["all_on", "no_dual"]
    with pytest.raises(UsageError, match="no_colour: no such row"):
        rows_of(recipe, ["all_on", "no_colour"])
    with pytest.raises(UsageError, match="needs all_on"):
        rows_of(recipe, ["all_off"])


def test_a_recipe_with_nothing_on_has_no_rows(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="every objective is off"):
        rows_of(replace(recipe, objectives=PLAIN))
