"""Making the mapped form of a corpus from its shards: texts, and what one parse of them finds.

One function maps one shard and nothing else; several workers do it for several shards. A shard's
files are whole or not there, an interrupted run does what is left, and the same corpus with the
same tools gives the same bytes. Memory is bounded by one shard a process, and for the order of
imports by some packages in a row, or one that is larger.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from completion.errors import CaretError
from training.corpus.columns import ColumnsWriter
from training.corpus.mapped import (
    ACCOUNT,
    FORMAT,
    account_of,
    entry_is_good,
    is_mapped,
    shard_files,
)
from training.corpus.ordering import write_order
from training.corpus.scale import Workers, cores, local
from training.corpus.shards import read_manifest, read_shard
from training.corpus.tools import tools
from training.objectives.parsed import COLUMNS, Found

Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardToMap:
    """All that :func:`map_shard` needs."""

    corpus: Path
    folder: Path
    """Where the files go; it is there."""
    name: str
    """What their names begin with."""
    shard: dict[str, Any]
    """What the corpus's manifest says of the shard."""


def map_shard(work: ShardToMap) -> dict[str, Any]:
    """Write the files of one shard and return its entry of the account.

    Raises:
        UsageError: the shard is damaged.
        OSError: the files cannot be written.
    """
    texts, paths, columns = io.BytesIO(), io.BytesIO(), ColumnsWriter()
    packages: dict[str, int] = {}
    rows: list[tuple[int, int, int, int, int]] = []
    for document in read_shard(work.corpus, work.shard):
        start, path_start = texts.tell(), paths.tell()
        texts.write(document.text.encode("utf-8", "surrogatepass"))
        paths.write(document.path.encode("utf-8", "surrogatepass"))
        package = packages.setdefault(document.package, len(packages))
        rows.append((start, texts.tell(), path_start, paths.tell(), package))
        columns.add(Found(document.path, document.text))
    places = np.array(rows, dtype=np.int64).reshape(-1, 5)
    places[:, 2:4] += texts.tell()
    index = io.BytesIO()
    np.save(index, places)
    contents = (
        texts.getvalue() + paths.getvalue(), index.getvalue(), columns.spans(),
        columns.types.getvalue(),
    )  # fmt: skip
    entry: dict[str, Any] = {
        "shard": work.shard, "file": work.name, "documents": len(rows), "bytes": texts.tell(),
        "rows": columns.rows, "packages": list(packages), "tools": tools(),
    }  # fmt: skip
    written = zip(shard_files(work.folder, entry), contents, strict=True)
    entry["sizes"] = [_replace(path, data) for path, data in written]
    entry["sha256"] = [hashlib.sha256(data).hexdigest() for data in contents]
    return entry


def ensure_mapped(
    corpus: Path,
    folder: Path,
    progress: Progress,
    *,
    ordered: bool = False,
    processes: int | None = None,
    workers: Workers | None = None,
) -> dict[str, int]:
    """Make ``folder`` the mapped form of ``corpus`` unless it is that already; return its totals.

    ``ordered`` asks for the order of imports too. ``progress`` gets a share and a text.
    ``workers`` do it; where none are given, ``processes`` of this machine, or one for each core.

    Raises:
        UsageError: the corpus is damaged.
        CaretError: the files cannot be written.
    """
    if not is_mapped(corpus, folder, ordered=ordered):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Not forked: this process may have threads, or a device.
            workers = workers or local(processes or cores(), start="spawn")
            _map(corpus, folder, progress, workers, ordered=ordered)
        except OSError as error:
            raise CaretError(
                f"corpus {corpus}: cannot map it into {folder}: {error.strerror or error}; mend "
                "that and give the same command again: it goes on with what is left"
            ) from error
    return totals_of(folder)


def totals_of(folder: Path) -> dict[str, int]:
    """Return what is mapped in ``folder``: documents, bytes of text and on disk, rows by column."""
    entries = [entry for part in account_of(folder)["parts"].values() for entry in part]
    rows = Counter[str]()
    for entry in entries:
        rows.update(entry["rows"])
    return {
        "documents": sum(entry["documents"] for entry in entries),
        "bytes": sum(entry["bytes"] for entry in entries),
        "bytes_on_disk": sum(sum(entry["sizes"]) for entry in entries),
        **{name: rows[name] for name in COLUMNS},
    }


def work_left(corpus: Path, folder: Path) -> tuple[dict[str, list[Any]], list[tuple[str, int]]]:
    """Return the parts with the entries that are good, ``None`` for the others, and where those are."""
    old, known = account_of(folder).get("parts", {}), tools()
    parts: dict[str, list[Any]] = {}
    left: list[tuple[str, int]] = []
    for part, shards in read_manifest(corpus)["parts"].items():
        entries = [*old.get(part, []), *[None] * len(shards)][: len(shards)]
        parts[part] = [
            entry if entry_is_good(folder, entry, shard, known) else None
            for entry, shard in zip(entries, shards, strict=True)
        ]
        left += [(part, number) for number, entry in enumerate(parts[part]) if entry is None]
    return parts, left


def _map(
    corpus: Path, folder: Path, progress: Progress, workers: Workers, *, ordered: bool
) -> None:
    shards = read_manifest(corpus)["parts"]
    parts, left = work_left(corpus, folder)
    total = sum(map(len, shards.values()))
    work = {
        (part, number): ShardToMap(
            corpus=corpus, folder=folder, name=f"{part}-{number:03d}", shard=shards[part][number]
        )
        for part, number in left
    }
    done = total - len(left)
    progress(done / max(1, total), f"{done} of {total} shards")
    for (part, number), entry in zip(work, workers.map(map_shard, work.values()), strict=True):
        parts[part][number] = entry
        _write_account(folder, parts, whole=False, ordered=False)
        done += 1
        progress(done / total, f"{done} of {total} shards")
    was_ordered = bool(account_of(folder).get("ordered")) and not left
    if ordered and not was_ordered:
        _write_account(folder, parts, whole=True, ordered=False)
        write_order(folder, workers, progress)
    _write_account(folder, parts, whole=True, ordered=ordered or was_ordered)


def _write_account(folder: Path, parts: dict[str, Any], *, whole: bool, ordered: bool) -> None:
    table = {"format": FORMAT, "whole": whole, "ordered": ordered, "parts": parts}
    text = json.dumps(table, indent=1, sort_keys=True) + "\n"
    _replace(folder / ACCOUNT, text.encode("utf-8"))


def _replace(path: Path, data: bytes) -> int:
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(data)
    temporary.replace(path)
    return len(data)
