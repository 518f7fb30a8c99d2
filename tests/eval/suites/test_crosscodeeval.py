from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from completion.errors import UsageError
from eval.data.reading import rows
from eval.engines.dummies import Half
from eval.item import Answer
from eval.suites import suite_named
from tests.eval.suites.dummy_scores import HAND_MADE, by_item, holds_for_dummies, said

FOLDER = HAND_MADE / "crosscodeeval"
PYTHON = FOLDER / "python_with_context.jsonl"
METRICS = ("exact_match", "edit_similarity", "identifier_exact_match", "identifier_f1")


@pytest.mark.parametrize(
    ("language", "file"),
    [
        ("python", "python_with_context.jsonl"),
        ("python", "python_without_context.jsonl"),
        ("java", "java_handmade.jsonl"),
        ("typescript", "typescript.jsonl"),
        ("csharp", "csharp.jsonl"),
    ],
)
async def test_the_oracle_has_all_and_silence_nothing(language: str, file: str) -> None:
    await holds_for_dummies(f"crosscodeeval:{language}", FOLDER / file, METRICS)


async def test_half_of_each_scores_what_was_worked_out_by_hand() -> None:
    found = await by_item("crosscodeeval:python", PYTHON, Half)
    # `sum(price_of(item)`, 18 of 37 characters; of four names it has three.
    first = found["project_cc_python/0"]
    assert first["edit_similarity"] == pytest.approx(36 / 55)
    assert first["identifier_f1"] == pytest.approx(2 * 3 / 7)
    assert (first["exact_match"], first["identifier_exact_match"]) == (0.0, 0.0)
    # `total(items` of `total(items),␣␣⏎␣␣␣␣)`, comment and outer blanks aside: 11 of 21.
    second = found["project_cc_python/1"]
    assert second["edit_similarity"] == pytest.approx(22 / 32)
    assert (second["identifier_f1"], second["identifier_exact_match"]) == (1.0, 1.0)


def test_snippets_of_other_files_come_with_the_item() -> None:
    loaded = suite_named("crosscodeeval:python").load(PYTHON)
    prices, tax = loaded.items[0].related
    assert prices.path == "shop/prices.py"
    assert prices.text == b"def price_of(item):\n    return item.price\n"
    assert (prices.relevance, tax.relevance) == (1.0, 0.5)  # scores 3.0 and 1.5
    assert loaded.items[1].related[0].relevance == 0.5  # no score over 1: as it is
    assert loaded.data["cross_file_context"] == "retrieved snippets"
    assert loaded.data["suffix"] == "right_context"


def test_a_snippet_is_what_its_file_says_and_a_definition_where_it_does_not(
    tmp_path: Path,
) -> None:
    row = next(rows(PYTHON))
    first, second = row["crossfile_context"]["list"]
    row["crossfile_context"]["list"] = [first, second | {"kind": "import"}]
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(row))
    suite = suite_named("crosscodeeval:python")
    assert [one.kind for one in suite.load(path).items[0].related] == ["definition", "import"]
    path.write_text(json.dumps(row | {"crossfile_context": {"list": [first | {"kind": 5}]}}))
    with pytest.raises(UsageError, match=r"own\.jsonl, line 1: .*kind"):
        suite.load(path)


def test_the_file_decides_whether_there_is_context() -> None:
    loaded = suite_named("crosscodeeval:python").load(FOLDER / "python_without_context.jsonl")
    assert all(item.related == () and item.suffix == b"" for item in loaded.items)
    assert loaded.data["cross_file_context"] == "none"
    assert loaded.data["suffix"] == "none"


def test_a_relevance_is_never_below_nothing() -> None:
    (item,) = suite_named("crosscodeeval:java").load(FOLDER / "java_handmade.jsonl").items
    assert item.related[0].relevance == 0.0


def test_raw_text_is_cut_to_a_statement_and_what_is_inserted_is_not() -> None:
    suite = suite_named("crosscodeeval:typescript")
    found = said(suite, FOLDER / "typescript.jsonl", "priceOf(items[0]);\n}\n\nfunction two() {")
    assert (found["exact_match"], found["exact_match_cut"]) == (1.0, 0.0)
    assert (found["identifier_f1"], found["edit_similarity"]) == (1.0, 1.0)
    assert 0.0 < found["edit_similarity_cut"] < 1.0  # type: ignore[operator]


def test_python_is_cut_where_the_file_so_far_parses() -> None:
    suite = suite_named("crosscodeeval:python")
    text = "\n        total(items),\n    )\n    return 1\n"
    assert said(suite, PYTHON, text, at=1)["exact_match"] == 1.0


def test_a_closer_that_the_suffix_had_is_not_held_against_the_cut() -> None:
    suite = suite_named("crosscodeeval:java")
    (item,) = suite.load(FOLDER / "java_handmade.jsonl").items
    text = item.reference + item.suffix[:6]
    found = suite.judge(item, [Answer(raw=None, cut=text, replace_after=6)], {})
    assert (found["exact_match"], found["exact_match_cut"]) == (0.0, 1.0)


def test_items_of_another_language_are_refused() -> None:
    with pytest.raises(UsageError, match="project_cc_python/0 is an item of another language"):
        suite_named("crosscodeeval:java").load(PYTHON)


def change(row: dict[str, Any], where: str) -> dict[str, Any]:
    """Return ``row`` without what ``where`` names."""
    head, _, tail = where.partition(".")
    if not tail:
        return {key: value for key, value in row.items() if key != head}
    return row | {head: change(row[head], tail)}


@pytest.mark.parametrize(
    "name",
    [
        "prompt",
        "groundtruth",
        "metadata",
        "metadata.task_id",
        "metadata.file",
        "crossfile_context.list",
    ],
)
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(change(row, name)) + "\n" for row in rows(PYTHON)))
    with pytest.raises(UsageError, match=rf"own\.jsonl, line 1: no field '\S*{name[-4:]}'"):
        suite_named("crosscodeeval:python").load(path)


@pytest.mark.parametrize("chunk", ["text", {"filename": "a.py"}, {"retrieved_chunk": "x"}, None])
def test_a_snippet_of_another_form_is_an_error_of_the_call(tmp_path: Path, chunk: Any) -> None:
    row = next(rows(PYTHON)) | {"crossfile_context": {"list": [chunk]}}
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(UsageError, match=r"own\.jsonl, line 1"):
        suite_named("crosscodeeval:python").load(path)


def test_two_items_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(PYTHON.read_text() * 2)
    with pytest.raises(UsageError, match="two items with the task_id project_cc_python/0"):
        suite_named("crosscodeeval:python").load(path)


def test_damage_is_an_error_of_the_call(tmp_path: Path) -> None:
    suite = suite_named("crosscodeeval:python")
    whole = PYTHON.read_bytes()
    files = {
        "cut.jsonl": whole[:-30],
        "cut.jsonl.gz": gzip.compress(whole)[:-30],
        "empty.jsonl": b"",
        "empty.jsonl.gz": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError) as caught:
            suite.load(tmp_path / name)
        assert name in caught.value.message
