from __future__ import annotations

import json
from pathlib import Path

import pytest

from completion.errors import UsageError
from eval.data.reading import rows
from eval.data.registry import HAND_MADE_ONLY
from eval.engines.dummies import Half
from eval.suites import suite_named
from tests.eval.suites.dummy_scores import HAND_MADE, figures, holds_for_dummies, said

FILE = HAND_MADE / "santacoder_fim" / "handmade.jsonl"
SUITES = ("santacoder-fim:py", "santacoder-fim:js", "santacoder-fim:java")


@pytest.mark.parametrize("name", SUITES)
async def test_the_oracle_has_all_and_silence_nothing(name: str) -> None:
    await holds_for_dummies(name, FILE, ("exact_match", "edit_similarity"))


async def test_half_of_each_scores_what_was_worked_out_by_hand() -> None:
    found = await figures("santacoder-fim:py", FILE, Half)
    # 5 of 11 characters, 8 of 17 and 8 of 17: 2·5/16, 2·8/25, 2·8/25.
    assert found["edit_similarity"] == pytest.approx((10 / 16 + 16 / 25 + 16 / 25) / 3)
    assert found["exact_match"] == 0.0


@pytest.mark.parametrize(("name", "count"), [*zip(SUITES, (3, 2, 1), strict=True)])
def test_only_items_of_the_language_are_read(name: str, count: int) -> None:
    loaded = suite_named(name).load(FILE)
    assert len(loaded.items) == count
    assert len({item.id for item in loaded.items}) == count
    assert {item.language for item in loaded.items} == {
        {"py": "python", "js": "javascript", "java": "java"}[name.split(":")[1]]
    }


def test_an_item_is_what_the_row_says() -> None:
    first = suite_named("santacoder-fim:py").load(FILE).items[0]
    assert first.id == "py/HumanEval_900_add/0"
    assert first.prefix.endswith(b'"""Return the sum."""\n    ')
    assert first.suffix == b"\n    return total\n"
    assert first.reference == b"total = a+b"


def test_only_blanks_around_the_line_do_not_matter() -> None:
    suite = suite_named("santacoder-fim:py")
    assert said(suite, FILE, "  total = a+b \n")["exact_match"] == 1.0
    assert said(suite, FILE, "total = a + b")["exact_match"] == 0.0
    assert said(suite, FILE, "total = a+b\n    return total")["exact_match"] == 0.0


def test_a_result_says_that_the_real_items_were_never_seen() -> None:
    warnings = suite_named("santacoder-fim:js").load(FILE).warnings
    assert f"santacoder-fim:js: {HAND_MADE_ONLY}" in warnings


def test_parquet_gives_the_same_items(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pylist(list(rows(FILE)))
    suite = suite_named("santacoder-fim:py")
    parquet.write_table(table, tmp_path / "own.parquet")
    assert suite.load(tmp_path / "own.parquet").items == suite.load(FILE).items
    parquet.write_table(table, tmp_path / "train-00000-of-00001-b6ec1fdd66018baa.parquet")
    with pytest.raises(UsageError, match="holds 6 items and the published file 4792"):
        suite.load(tmp_path)


def test_a_file_without_the_language_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "js.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows(FILE) if r["language"] == "js"))
    with pytest.raises(UsageError, match="language is 'py', but 2 of 'js'"):
        suite_named("santacoder-fim:py").load(path)


@pytest.mark.parametrize("name", ["name", "language", "prompt", "suffix", "canonical_solution"])
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(r | {name: None}) + "\n" for r in rows(FILE)))
    with pytest.raises(UsageError, match=rf"own\.jsonl, line 1: the field '{name}' is null"):
        suite_named("santacoder-fim:py").load(path)
