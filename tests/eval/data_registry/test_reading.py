from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from completion.errors import UsageError
from eval.data.reading import digest, field, lines, placed_rows, rows, utf8

ROWS: list[dict[str, Any]] = [{"a": "é 😀\u2028", "b": [1, 2]}, {"a": "x", "b": []}]
TEXT = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def save(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.json", "x.json.gz", "X.JSONL"])
def test_json_lines_are_read_under_each_name(tmp_path: Path, name: str) -> None:
    path = save(tmp_path, name, TEXT)
    assert list(rows(path)) == ROWS
    assert digest(path) == (hashlib.sha256(TEXT).hexdigest(), 2)


def test_a_list_of_objects_is_read_as_its_items(tmp_path: Path) -> None:
    path = save(tmp_path, "x.json", b" " + json.dumps(ROWS, indent=1).encode())
    assert list(rows(path)) == ROWS
    assert digest(path)[1] == 2


def test_parquet_is_read_row_by_row(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "x.parquet"
    many = [{"a": f"é{number}", "b": [number]} for number in range(200)]
    parquet.write_table(pyarrow.Table.from_pylist(many), path)
    assert list(rows(path)) == many
    assert digest(path) == (hashlib.sha256(path.read_bytes()).hexdigest(), 200)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UsageError, match="cut off or damaged"):
        list(rows(path))
    with pytest.raises(UsageError, match="cut off or damaged"):
        digest(path)


def test_blank_lines_and_a_missing_last_line_end_do_not_matter(tmp_path: Path) -> None:
    path = save(tmp_path, "x.jsonl", TEXT.replace(b"\n", b"\r\n\r\n").rstrip())
    assert list(rows(path)) == ROWS
    assert digest(path)[1] == 2


def test_lines_of_text_come_with_their_place(tmp_path: Path) -> None:
    path = save(tmp_path, "x.txt", b"<s> a </s>\r\n\n<s> b </s>")
    assert list(lines(path)) == [("x.txt, line 1", "<s> a </s>"), ("x.txt, line 3", "<s> b </s>")]


@pytest.mark.parametrize("kept", [1, 9, 60, -1])
def test_a_compressed_file_cut_off_anywhere_is_an_error_of_the_call(
    tmp_path: Path, kept: int
) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(TEXT * 50)[:kept])
    for read in (lambda: list(rows(path)), lambda: digest(path)):
        with pytest.raises(UsageError, match="cut off or damaged") as caught:
            read()
        assert str(path) in caught.value.message


def test_a_plain_file_called_gz_is_an_error_of_the_call(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(TEXT)
    with pytest.raises(UsageError, match="cut off or damaged"):
        list(rows(path))


def test_a_damaged_byte_in_a_compressed_file_is_an_error_of_the_call(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    packed = bytearray(gzip.compress(TEXT * 50))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(UsageError):
        list(rows(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT[:-8], "x.jsonl, line 2: not a JSON object, one on each line; cut off or damaged"),
        (TEXT + b"[1]\n", "x.jsonl, line 3: a list, where a JSON object is expected"),
        (TEXT + b"null\n", "x.jsonl, line 3: null, where a JSON object is expected"),
        (TEXT + b'{"a": "\xff"}\n', "x.jsonl, line 3: not UTF-8"),
        (b"[" * 200_000, "x.jsonl, line 1: not a JSON object"),
        (b"", "holds no items"),
        (b"\n \n", "holds no items"),
        (b"version https://git-lfs.github.com/spec/v1\n", "x.jsonl, line 1: not a JSON object"),
    ],
)
def test_what_is_no_row_is_named_with_its_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = save(tmp_path, "x.jsonl", content)
    with pytest.raises(UsageError) as caught:
        list(rows(path))
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 2


def test_a_list_cut_off_is_an_error_of_the_call(tmp_path: Path) -> None:
    path = save(tmp_path, "x.json", json.dumps(ROWS).encode()[:-4])
    for read in (lambda: list(rows(path)), lambda: digest(path)):
        with pytest.raises(UsageError, match="cut off or damaged"):
            read()


@pytest.mark.parametrize("name", ["x.pickle", "x.gz", "x", "x.csv", "x.txt"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        list(rows(save(tmp_path, name, TEXT)))


def test_what_cannot_be_opened_is_an_error_of_the_call(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").mkdir()
    for path in (tmp_path / "x.jsonl", tmp_path / "gone.jsonl"):
        with pytest.raises(UsageError) as caught:
            list(rows(path))
        assert str(path) in caught.value.message


def test_a_field_is_returned_as_it_is() -> None:
    row = {"a": "x", "b": {"c": [1], "d": 2}, "e": None}
    assert field(row, "a", str, "here") == "x"
    assert field(row, "b.c", list, "here") == [1]
    assert field(row, "b.d", float, "here") == 2.0
    assert utf8({"a": "é"}, "a", "here") == "é".encode()


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("z", str, "here: no field 'z'; the published format has it as a text (here: a, b, e, t)"),
        ("b.z", list, "here: no field 'b.z'; the published format has it as a list"),
        ("a.c", str, "here: no field 'a.c'"),
        ("a", int, "here: the field 'a' is a text, not a whole number"),
        ("e", str, "here: the field 'e' is null, not a text"),
        ("t", int, "here: the field 't' is true or false, not a whole number"),
        ("b", str, "here: the field 'b' is an object, not a text"),
    ],
)
def test_a_field_that_is_wrong_is_named(name: str, kind: type, words: str) -> None:
    row = {"a": "x", "b": {"c": [1]}, "e": None, "t": True}
    with pytest.raises(UsageError) as caught:
        field(row, name, kind, "here")
    assert words in caught.value.message


def test_half_of_a_surrogate_pair_is_no_text(tmp_path: Path) -> None:
    path = save(tmp_path, "x.jsonl", rb'{"a": "\ud83d"}')
    ((where, row),) = placed_rows(path)
    with pytest.raises(UsageError, match="surrogate"):
        utf8(row, "a", where)
