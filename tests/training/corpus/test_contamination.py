from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from completion.errors import UsageError
from tests.training.tiny import source
from training.corpus.contamination import Benchmarks, HeldOut, fingerprint, read_benchmarks

ITEM = '''def has_close_elements(numbers, threshold):
    """ Check if in given list of numbers, are any two numbers closer than the threshold. """
    for i, first in enumerate(numbers):
        return any(abs(first - second) < threshold for second in numbers[i + 1:])
'''


def test_item_is_found_inside_a_file_whatever_its_indentation() -> None:
    inside = "class Holder:\n" + "".join("\t" + line + "\n" for line in ITEM.splitlines())
    assert Benchmarks([ITEM]).contained_in(source("a") + inside)


def test_item_with_one_changed_name_is_not_that_item() -> None:
    assert not Benchmarks([ITEM]).contained_in(ITEM.replace("threshold", "limit"))


def test_short_item_is_not_looked_for() -> None:
    benchmarks = Benchmarks(["    return number % 1.0\n"])
    assert benchmarks.size == 0
    assert not benchmarks.contained_in("def f(number):\n    return number % 1.0\n")


def test_items_are_read_from_all_published_formats(tmp_path: Path) -> None:
    (tmp_path / "mbpp").mkdir()
    hole = ITEM + "    # TODO: Your code here\n" + ITEM.replace("close", "distant")
    rows = [{"prompt": ITEM}, {"code": ITEM.replace("close", "near")}, {"prompt": hole, "n": 1}]
    with gzip.open(tmp_path / "mbpp" / "rows.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    benchmarks = read_benchmarks(tmp_path)
    assert benchmarks.contained_in(ITEM.replace("close", "near"))
    assert benchmarks.contained_in(ITEM.replace("close", "distant"))
    assert not benchmarks.contained_in(source("a"))


def test_folder_without_benchmarks_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no \\*\\.jsonl"):
        read_benchmarks(tmp_path)


def test_renamed_copy_of_a_held_out_file_is_found() -> None:
    held = HeldOut()
    held.add("click", source("core", 20))
    copy = "# vendored as _click\n" + source("core", 20).replace("import os", "import os, sys")
    assert held.copied_in(copy) == "click"
    assert held.copied_in(source("other", 20)) is None


def test_fingerprint_ignores_comments_and_blank_lines_only() -> None:
    text = source("a")
    assert fingerprint("# Copyright\n\n" + text.replace("\n", "  \n")) == fingerprint(text)
    assert fingerprint(text.replace("total", "result")) != fingerprint(text)
