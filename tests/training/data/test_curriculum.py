from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from completion.errors import UsageError
from eval.build.builders import BUILDERS
from eval.result import SCHEMA as RESULT_SCHEMA
from eval.result import Metric, Result, write_result
from training.data.curriculum import SCHEMA, failure_rates, with_curriculum
from training.objectives.mixture import SHARES
from training.recipe import Recipe, recipe_from, recipe_table


def result(
    path: Path, groups: dict[str, dict[str, tuple[float, int]]], suite: str = "nodes"
) -> Path:
    """A result as the harness itself writes it."""
    figures = {
        kind: {name: Metric(value=v, low=0.0, high=1.0, n=n) for name, (v, n) in found.items()}
        for kind, found in groups.items()
    }
    written = Result(
        suite=suite, suite_version=BUILDERS["nodes"].version, data={}, model={}, engine="oracle",
        options={}, caret={}, machine={}, started="", seconds=0.0, metrics={}, groups=figures,
    )  # fmt: skip
    write_result(written, path)
    return path


def test_schema_is_that_of_results() -> None:
    assert SCHEMA == RESULT_SCHEMA


def test_failure_is_of_what_an_editor_inserts(tmp_path: Path) -> None:
    both = {"exact_match": (0.0, 50), "exact_match_cut": (0.25, 50)}
    raw = {"exact_match": (0.1, 50)}
    path = result(tmp_path / "r.json", {"name": both, "body": raw, "statement": both})
    assert failure_rates(path) == {"name": 0.75, "body": 0.9}


def test_kind_of_few_items_is_not_measured(tmp_path: Path) -> None:
    groups = {"name": {"exact_match": (0.5, 20)}, "body": {"exact_match": (0.0, 19)}}
    assert failure_rates(result(tmp_path / "r.json", groups)) == {"name": 0.5}


def test_recipe_has_the_mixture_and_says_it(recipe: Recipe, tmp_path: Path) -> None:
    """By hand: .15 and .1 of the base fail at .4 and .9, mean .6; factors .75 and 1.375."""
    groups = {"arguments": {"exact_match": (0.6, 90)}, "body": {"exact_match": (0.1, 90)}}
    harder = with_curriculum(recipe, result(tmp_path / "r.json", groups))
    moved = {"arguments": 0.1125, "body": 0.1375}
    assert harder.data.middles == pytest.approx({**SHARES, **moved})
    assert recipe_from(json.loads(json.dumps(recipe_table(harder)))) == harder
    assert recipe.data.middles == SHARES


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"suite": "cardinal", "groups": {"keyword": {}}}, "a result of cardinal, whose groups"),
        ({"groups": {}}, "a result of nodes, whose groups are no kinds of middles"),
        ({"groups": {"body": {"accuracy": {"value": 0.5, "n": 50}}}}, "nodes has no exact match"),
        ({"groups": {"body": {"exact_match": {"value": 0.5, "n": 5}}}}, "fewer than 20 items"),
        ({"groups": {"body": {"exact_match": {"value": 7, "n": 50}}}}, "a damaged result"),
        ({"groups": {"body": {"exact_match": {"value": None}}}}, "a damaged result"),
        ({"groups": {"body": {"exact_match": 0.5}}}, "a damaged result"),
        ({"groups": [1]}, "a damaged result"),
        ({"groups": {"body": 1}}, "a damaged result"),
        ({"schema": 2}, "a result of schema 2, not 1; run the suite again"),
    ],
)
def test_result_that_does_not_tell_is_one_line(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = result(tmp_path / "r.json", {"name": {"exact_match": (0.5, 50)}})
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UsageError) as caught:
        failure_rates(path)
    assert caught.value.message.startswith(f"--curriculum-from {path}: ")
    assert said in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "said"), [("{", "is no JSON"), ("[]", "no result"), ("{}", "no result")]
)
def test_file_that_is_no_result_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        failure_rates(path)
    with pytest.raises(UsageError, match="No such file"):
        failure_rates(tmp_path / "none.json")
