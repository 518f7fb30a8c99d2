"""Rows out of a data set's file, each with the place it was read from.

Lives here: the containers (JSON lines, a JSON list, parquet, plain lines; with or without gzip) and
the checks that a row has what a suite needs. Everything that can be wrong with a file is one
:class:`UsageError` that names the file and the line; nothing here knows what a field means.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from completion.errors import UsageError

T = TypeVar("T")

READ = (".jsonl", ".json", ".parquet", ".txt")
"""File name endings that are read; but parquet, each may be followed by ``.gz``."""

_NAMES: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of JSON objects, one a line or in one list, or of a parquet table.

    Raises:
        UsageError: not a file that is read here, cut off, damaged, a row that is no object, or no
            row at all.
    """
    for _, row in placed_rows(path):
        yield row


def placed_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each row with the place of it, for messages: ``java.jsonl.gz, line 3``."""
    kind = _kind(path)
    if kind == ".parquet":
        found = _parquet_rows(path)
    elif kind == ".txt":
        raise UsageError(f"{path}: plain text, where JSON lines or parquet is expected")
    elif kind == ".json" and _is_list(path):
        found = _list_rows(path)
    else:
        found = _json_lines(path)
    return _some(found, path)


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the lines of a text file that are not blank, each with its place and without its end.

    Raises:
        UsageError: cut off, damaged, not UTF-8, or empty.
    """
    return _some(_text_lines(path), path)


def digest(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file's uncompressed content, as 64 hex digits, and its rows.

    Raises:
        UsageError: it cannot be read, is cut off or damaged.
    """
    kind = _kind(path)
    found = hashlib.sha256()
    count = 0
    with _open(path) as stream:
        for line in stream:
            found.update(line)
            count += bool(line.strip())
    if kind == ".parquet":
        count = _parquet(path).metadata.num_rows
    elif kind == ".json" and _is_list(path):
        count = sum(1 for _ in _list_rows(path))
    return found.hexdigest(), count


def field(row: Mapping[str, Any], name: str, kind: type[T], where: str) -> T:
    """Return ``row[name]``, which has to be of ``kind``. ``a.b`` is the field ``b`` of ``a``.

    Raises:
        UsageError: it is not there or is something else.
    """
    value: Any = row
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise UsageError(
                f"{where}: no field {name!r}; the published format has it as {_NAMES[kind]} "
                f"(here: {', '.join(map(str, row)) or 'no field at all'})"
            )
        value = cast("Mapping[str, Any]", value)[part]
    if kind is float and type(value) is int:
        return cast("T", float(value))
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        is_ = _NAMES.get(type(value), type(value).__name__)
        raise UsageError(f"{where}: the field {name!r} is {is_}, not {_NAMES[kind]}")
    return value


def utf8(row: Mapping[str, Any], name: str, where: str) -> bytes:
    """Return the text ``row[name]`` as UTF-8. Raises UsageError as :func:`field`, and for a text
    that is none: JSON can spell half of a surrogate pair."""
    try:
        return field(row, name, str, where).encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"{where}: the field {name!r} has half of a surrogate pair") from None


def utf8_text(row: Mapping[str, Any], name: str, where: str) -> str:
    """Return the text ``row[name]``, of which is known that it can be written. Raises as
    :func:`utf8`."""
    return utf8(row, name, where).decode("utf-8")


def own_task(task: str, suite: str, suites: Mapping[str, str], where: str) -> None:
    """Check that a row is one of ``suite``, as far as the beginning of its id tells.

    ``suites`` has the suite of each beginning that is known; any other says nothing.

    Raises:
        UsageError: it is of another suite (and of which).
    """
    other = next((suites[start] for start in suites if task.startswith(start)), suite)
    if other != suite:
        raise UsageError(f"{where}: {task} is an item of {other}, not of {suite}; ask for {other}")


def _kind(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    kind = next((ending for ending in READ if name.endswith(ending)), "")
    if not kind:
        raise UsageError(f"{path}: only {', '.join(READ)} are read, or .gz of them")
    return kind


def _some(found: Iterator[T], path: Path) -> Iterator[T]:
    empty = True
    for one in found:
        empty = False
        yield one
    if empty:
        raise UsageError(f"{path}: holds no items")


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """Open for reading the uncompressed bytes; damage shows while it is read, in the block."""
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            yield cast("IO[bytes]", stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{path}: cut off or damaged ({error}); get the file again") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None


def _text_lines(path: Path) -> Iterator[tuple[str, str]]:
    with _open(path) as stream:
        for number, line in enumerate(stream, 1):
            where = f"{path.name}, line {number}"
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UsageError(f"{where}: not UTF-8 ({error.reason}); damaged?") from None
            if text.strip():
                yield where, text.rstrip("\r\n")


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, line in _text_lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"{where}: not a JSON object, one on each line; cut off or damaged ({error})"
            ) from None
        yield where, _object(row, where)


def _list_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with _open(path) as stream:
        try:
            table = json.loads(stream.read())
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}: a JSON list, cut off or damaged ({error})") from None
    for number, row in enumerate(table, 1):
        where = f"{path.name}, item {number}"
        yield where, _object(row, where)


def _object(row: Any, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        is_ = _NAMES.get(type(row), type(row).__name__)
        raise UsageError(f"{where}: {is_}, where a JSON object is expected")
    return cast("dict[str, Any]", row)


def _is_list(path: Path) -> bool:
    """Tell a JSON list from JSON lines: files of both kinds are called ``.json``."""
    with _open(path) as stream:
        return stream.read(64).lstrip().startswith(b"[")


def _parquet(path: Path) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UsageError(f"{path}: reading parquet takes pyarrow (pip install pyarrow)") from None
    try:
        return parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{path}: cut off or damaged ({reason}); get the file again") from None


def _parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow

    number = 0
    try:
        # Few rows at a time: one may hold a whole repository.
        for batch in _parquet(path).iter_batches(batch_size=64):
            for row in batch.to_pylist():
                number += 1
                yield f"{path.name}, row {number}", row
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{path}: damaged after row {number} ({reason})") from None
