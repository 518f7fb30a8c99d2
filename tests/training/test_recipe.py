from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from completion.errors import UsageError
from training.commands.train import RECIPES, find_recipe
from training.recipe import PLAIN, Recipe, read_recipe, recipe_from, recipe_of_run, recipe_table


def table(**values: Any) -> dict[str, Any]:
    model = {"vocabulary": 300, "width": 8, "layers": 1, "heads": 2, "kv_heads": 1, "ffn": 8}
    return {"name": "t", "model": model, "budget": {"minutes": 1.0}, **values}


@pytest.mark.parametrize("name", sorted(p.stem for p in RECIPES.glob("*.toml")))
def test_bundled_recipes_say_every_value(name: str) -> None:
    read = find_recipe(name)
    text = (RECIPES / f"{name}.toml").read_text()
    for section in ("model", "data", "objectives", "optim", "loop"):
        for key in recipe_table(read)[section]:
            assert f"\n{key} = " in text, f"{section}.{key} is left to its default"


def test_xs_has_the_designs_shape() -> None:
    model = find_recipe("xs").model
    assert (model.width, model.layers, model.heads, model.kv_heads) == (256, 6, 4, 2)
    assert (model.ffn, model.vocabulary) == (704, 8192)


def test_recipe_survives_json(recipe: Recipe) -> None:
    assert recipe_from(json.loads(json.dumps(recipe_table(recipe)))) == recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "unknown key colour"),
        ({"data": {"fim": 0.5}}, "unknown key data.fim"),
        ({"data": {"fim_rate": 1.5}}, "fim_rate must lie between 0 and 1"),
        ({"data": {"fim_rate": "much"}}, "data.fim_rate must be float"),
        ({"data": {"lengths": [512], "shares": [0.5, 0.5]}}, "the same entries"),
        ({"data": {"lengths": [4096]}}, "beyond model.context"),
        ({"data": {"lengths": [384]}}, "multiple of 384"),
        ({"objectives": {"horizon": -0.1}}, "objectives.horizon must be a number from 0 on"),
        ({"objectives": {"next_type": float("nan")}}, "objectives.next_type must be a number"),
        ({"objectives": {"declaration": -1}}, "objectives.declaration must be a number from 0"),
        ({"objectives": {"statement": 0.6, "identifier": 0.5}}, "must add up to at most 1"),
        ({"objectives": {"horizon_length": 0.1}}, "unknown key objectives.horizon_length"),
        ({"objectives": {"horizon_form": "log"}}, "must be one of linear, sigmoid, log_remaining"),
        ({"objectives": {"horizon_form": 1}}, "objectives.horizon_form must be str"),
        ({"objectives": {"masked_identifiers": 1.5}}, "masked_identifiers must be at most 1"),
        ({"data": {"middles": {"random": 0.5, "word": 0.5}}}, "middles has an unknown kind word"),
        ({"data": {"middles": {"random": 0.5}}}, "data.middles must add up to 1, not 0.5"),
        ({"data": {"middles": {"random": "all"}}}, "data.middles.random must be float"),
        ({"data": {"middles": [1.0]}}, "data.middles must be a table"),
        ({"budget": {}}, "exactly one of"),
        ({"budget": {"minutes": 1.0, "tokens": 5}}, "exactly one of"),
        ({"loop": {"batch_tokens": 1000, "micro_tokens": 512}}, "multiple of loop.micro_tokens"),
        ({"seed": True}, "seed must be int"),
        ({"name": 7}, "name must be str"),
        ({"data": 7}, "data must be a table"),
    ],
)
def test_wrong_value_is_one_line_that_names_it(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_from(table(**change))
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_heads_weigh_a_tenth_unless_said() -> None:
    objectives = recipe_from(table()).objectives
    assert (objectives.horizon, objectives.next_type) == (0.1, 0.1)


def test_recipe_that_a_run_kept_before_objectives_has_none() -> None:
    assert recipe_of_run(table()).objectives == PLAIN
    assert recipe_of_run(recipe_table(recipe_from(table()))) == recipe_from(table())


def test_missing_value_is_named() -> None:
    broken = table()
    del broken["model"]["width"]
    with pytest.raises(UsageError, match=r"model\.width is missing"):
        recipe_from(broken)


def test_missing_and_malformed_files_are_messages(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_recipe(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(UsageError, match=r"bad\.toml"):
        read_recipe(tmp_path / "bad.toml")
    with pytest.raises(UsageError, match="no recipe of that name"):
        find_recipe("xxl")
