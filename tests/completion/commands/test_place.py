"""FILE:LINE:COL, right and wrong."""

import os
from argparse import Namespace

import pytest

from completion.commands.context import with_context
from completion.commands.place import MAX_FILE_BYTES, read_place, request_for
from completion.errors import UsageError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes("a = 1\r\nb = 'é'\n".encode())
    return path


@pytest.mark.parametrize(
    ("place", "prefix"),
    [("1:1", ""), ("1:6", "a = 1"), ("2:1", "a = 1\r\n"), ("3:1", "a = 1\r\nb = 'é'\n")],
)
def test_a_place_cuts_the_file_there(file, place, prefix):
    found = read_place(f"{file}:{place}")
    assert found.prefix == prefix.encode()
    assert found.prefix + found.suffix == file.read_bytes()


def test_a_cursor_inside_a_character_is_taken_as_it_is(file):
    assert read_place(f"{file}:2:7").prefix.endswith(b"'\xc3")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("4:1", "line 4 is outside"),
        ("0:1", "line 0 is outside"),
        ("1:7", "column 7 is outside"),
        ("1:0", "column 0 is outside"),
    ],
)
def test_a_place_outside_the_file_says_what_is_inside(file, place, said):
    with pytest.raises(UsageError, match=said):
        read_place(f"{file}:{place}")


@pytest.mark.parametrize("text", ["a.py", "a.py:1", "a.py:1:x", ":1:1", "a.py:-1:1"])
def test_what_is_no_place_is_refused(text):
    with pytest.raises(UsageError, match="is not FILE:LINE:COL"):
        read_place(text)


def test_files_that_are_no_text_are_refused(tmp_path):
    binary = tmp_path / "b.py"
    binary.write_bytes(b"\x7fELF\0\0")
    with pytest.raises(UsageError, match="binary file"):
        read_place(f"{binary}:1:1")
    with pytest.raises(UsageError, match="is a folder"):
        read_place(f"{tmp_path}:1:1")
    with pytest.raises(UsageError, match="No such file"):
        read_place(f"{tmp_path / 'none.py'}:1:1")


def test_a_file_of_20_megabytes_is_refused_before_it_is_read(tmp_path):
    large = tmp_path / "large.py"
    with large.open("wb") as file:
        file.truncate(20 << 20)
    assert large.stat().st_size > MAX_FILE_BYTES
    with pytest.raises(UsageError, match="has 20 MiB"):
        read_place(f"{large}:1:1")


def test_an_empty_file_has_one_place(tmp_path):
    empty = tmp_path / "e.py"
    empty.touch()
    place = read_place(f"{empty}:1:1")
    assert (place.prefix, place.suffix) == (b"", b"")


def test_invalid_utf8_is_sent_as_it_is(tmp_path):
    path = tmp_path / "latin.py"
    path.write_bytes(b"name = '\xe9\xff'\n")
    assert request_for(read_place(f"{path}:1:11")).document.prefix == b"name = '\xe9\xff"


def test_the_request_says_the_documents_line_end(file):
    assert request_for(read_place(f"{file}:2:1")).document.eol == "\r\n"


def test_a_name_that_is_no_utf8_is_sent_as_one_that_is(tmp_path):
    name = os.fsdecode(b"caf\xe9.py")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / name).write_text("x = 1\n")
    place = read_place(f"{tmp_path / 'w' / name}:1:5")
    args = Namespace(root=str(tmp_path / "w"), no_context=True)
    request, context = with_context(args, place, request_for(place))
    assert (request.document.path, request.repo_name) == ("caf\ufffd.py", "w")
    assert (request.document.prefix, context.off) == (b"x = ", "--no-context")
