from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from completion.errors import UsageError
from eval.data.reading import rows
from eval.engines.dummies import Half
from eval.suites import suite_named
from eval.suites.base import Loaded
from tests.eval.suites.dummy_scores import HAND_MADE, figures, holds_for_dummies, said

FOLDER = HAND_MADE / "repobench"
FIRST = FOLDER / "cross_file_first_v1.1_handmade.jsonl"
IN_FILE = FOLDER / "v1.1_handmade.jsonl"
OLD = FOLDER / "python_cfr_v1.0_handmade.jsonl"
SUITE = suite_named("repobench")


@pytest.mark.parametrize("path", [FIRST, IN_FILE, OLD])
async def test_the_oracle_has_all_and_silence_nothing(path: Path) -> None:
    await holds_for_dummies("repobench", path, ("exact_match", "edit_similarity"))


async def test_half_of_each_scores_what_was_worked_out_by_hand() -> None:
    found = await figures("repobench", FIRST, Half)
    assert found["edit_similarity"] == pytest.approx(2 / 3)  # 16 of 32 and 14 of 28 characters
    assert found["exact_match"] == 0.0


def test_an_item_is_imports_and_code_up_to_the_line() -> None:
    python, java = SUITE.load(FIRST).items
    assert python.prefix.startswith(b"from shop.prices import price_of\nfrom shop.tax import Tax\n")
    assert python.prefix.endswith(b"    for item in items:\n")
    assert python.suffix == b""
    assert python.reference == b"        result += price_of(item)"
    assert [one.path for one in python.related] == ["shop/prices.py", "shop/tax.py"]
    assert (python.language, java.language) == ("python", "java")
    assert {python.kind, java.kind} == {"cross_file_first"}


def test_the_snippet_that_is_needed_is_not_told() -> None:
    python = SUITE.load(FIRST).items[0]
    assert len({one.relevance for one in python.related}) == 1
    assert "gold" not in json.dumps(dict(python.data))


def test_the_setting_is_told_by_the_file_or_by_the_row() -> None:
    assert SUITE.load(IN_FILE).items[0].kind == "in_file"
    assert SUITE.load(OLD).items[0].kind == "cross_file_random"


def test_snippets_in_comments_are_told_apart_and_uncommented() -> None:
    (item,) = SUITE.load(OLD).items
    prices, tax = item.related
    assert (prices.path, tax.path) == ("shop/prices.py", "shop/tax.py")
    assert prices.text == b"def price_of(item):\n    return item.price\n"
    assert tax.text == b"class Tax:\n    rate = 0.2\n"
    assert (
        item.prefix
        == b"from shop.prices import price_of\n\ndef first(items):\n    item = items[0]\n"
    )


def test_the_first_line_of_code_counts_and_the_width_of_blanks_does_not() -> None:
    text = "\n        # adds it\n        result  +=  price_of(item)\n        return 1"
    found = said(SUITE, FIRST, text)
    assert found["exact_match"] == 1.0
    assert found["exact_match_cut"] == 0.0
    assert said(SUITE, FIRST, "result+=price_of(item)")["exact_match"] == 0.0


def parquet_of(path: Path, table: list[dict[str, Any]]) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(table), path)


def published(folder: Path) -> Loaded:
    (base,) = rows(IN_FILE)
    context = [{"identifier": "x", "path": "x.py", "snippet": "x = 1"}]
    for name, places in {
        "cross_file_first-00000-of-00002-a.parquet": [("2k", "2023-12-01"), ("24k", "2023-12-02")],
        "cross_file_first-00001-of-00002-b.parquet": [("16k", "2023-12-31")],
        "in_file-00000-of-00001-c.parquet": [("4k", "2023-11-30"), ("8k", "2023-12-30")],
    }.items():
        parquet_of(
            folder / name,
            [base | {"context": context, "level": lv, "created_at": day} for lv, day in places],
        )
    return SUITE.load(folder)


def test_of_published_files_that_is_taken_which_the_published_script_takes(tmp_path: Path) -> None:
    loaded = published(tmp_path)
    assert [(item.kind, item.data["level"]) for item in loaded.items] == [
        ("cross_file_first", "2k"),
        ("cross_file_first", "16k"),
        ("in_file", "8k"),
    ]
    assert len({item.id for item in loaded.items}) == 3
    assert "16k" in loaded.data["taken"]
    assert loaded.data["published"]
    assert len(loaded.warnings) == len(set(loaded.warnings))


def test_of_own_files_everything_is_taken() -> None:
    loaded = SUITE.load(FIRST)  # its second item is of November and of 24k
    assert len(loaded.items) == 2
    assert "taken" not in loaded.data


def test_a_published_file_of_nothing_that_is_taken_says_so(tmp_path: Path) -> None:
    (row,) = rows(IN_FILE)
    rest = {"context": [{"path": "x", "snippet": "y"}], "level": "128k"}
    parquet_of(tmp_path / "in_file-00000-of-00001-c.parquet", [row | rest])
    with pytest.raises(UsageError, match="no item of a level up to 16k"):
        SUITE.load(tmp_path)


@pytest.mark.parametrize(
    "name", ["file_path", "context", "import_statement", "cropped_code", "next_line"]
)
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "own.jsonl"
    row = {key: value for key, value in next(rows(FIRST)).items() if key != name}
    path.write_text(json.dumps(row))
    with pytest.raises(UsageError, match=r"own\.jsonl, line 1: no field"):
        SUITE.load(path)


@pytest.mark.parametrize(
    "change",
    [{"context": ["x"]}, {"context": [{"path": "x"}]}, {"file_path": "a.rs"}, {"next_line": 3}],
)
def test_a_row_of_another_form_is_an_error_of_the_call(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(next(rows(FIRST)) | change))
    with pytest.raises(UsageError, match=r"own\.jsonl, line 1"):
        SUITE.load(path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_line_end_of_the_answer_is_not_asked_for(tmp_path: Path, end: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(next(rows(FIRST)) | {"next_line": f"    return x{end}"}))
    assert SUITE.load(path).items[0].reference == b"    return x"


def test_a_path_that_no_request_can_name_is_an_error_of_the_call(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(next(rows(FIRST)) | {"file_path": f"{chr(0xD800)}.py"}))
    with pytest.raises(UsageError, match=r"own\.jsonl, line 1: the field 'file_path' has half"):
        SUITE.load(path)
