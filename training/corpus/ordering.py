"""Making the order of imports of a mapped corpus: packages on workers, resumed behind the last one.

What is found is appended to ``order.part`` as it comes, a line a package. ``order.npy`` and
``stands.npy`` are made from it when all packages are there, so an interrupted run goes on to the
same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from training.corpus.imports import import_order
from training.corpus.mapped import ORDER, STANDS, MappedDocuments, account_of
from training.corpus.scale import Workers
from training.corpus.stretches import Stretch, runs_of_names, stretches

PART = "order.part"
_RULES = 1
"""Of :func:`~training.corpus.imports.import_order`."""


def write_order(folder: Path, workers: Workers, progress: Callable[[float, str], None]) -> None:
    """Write the order of the training documents that are mapped in ``folder``.

    Raises:
        OSError: the files cannot be written.
    """
    key = _key(folder)
    documents = MappedDocuments(folder, "train")
    names = (documents.name(number)[0] for number in range(len(documents)))
    placed = _kept(folder / PART, key)
    done = sum(map(len, placed))
    left = list(stretches(runs_of_names(names), done))
    # Without what was torn; in one step, or a kill here would lose what was kept.
    _replace(folder / PART, _lines([key, *placed]))
    with (folder / PART).open("ab", buffering=0) as file:
        found = workers.map(partial(order_stretch, folder, key), left)
        for stretch, orders in zip(left, found, strict=True):
            placed += orders
            file.write(_lines(orders))
            done = stretch.end
            progress(done / len(documents), f"imports of {documents.name(done - 1)[0]}")
    starts = np.cumsum([0, *map(len, placed)])[:-1]
    order = [start + at for start, places in zip(starts, placed, strict=True) for at in places]
    for name, values in ((ORDER, order), (STANDS, starts)):
        array = io.BytesIO()
        np.save(array, np.array(values, dtype=np.int32))
        _replace(folder / name, array.getvalue())
    (folder / PART).unlink()


def order_stretch(folder: Path, key: str, stretch: Stretch) -> list[list[int]]:
    """Return the order of each package of a stretch of what is mapped in ``folder``."""
    documents = _opened(folder, key)
    orders: list[list[int]] = []
    at = stretch.first
    for count in stretch.counts:
        orders.append(import_order(documents[at : at + count]))
        at += count
    return orders


@lru_cache(maxsize=1)
def _opened(folder: Path, key: str) -> MappedDocuments:
    """The documents, opened once in a process; ``key`` tells those of another time apart."""
    del key
    return MappedDocuments(folder, "train")


def _key(folder: Path) -> str:
    """All that decides the order, as a hash."""
    text = json.dumps([_RULES, account_of(folder)["parts"]["train"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(path: Path, key: str) -> list[list[int]]:
    """The orders that an interrupted run left, up to the first line that is not whole."""
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        if json.loads(first) != key:
            return []
    except (OSError, ValueError):  # there is none, or none of ours
        return []
    return list(_whole(lines))


def _whole(lines: Iterable[str]) -> Iterator[list[int]]:
    for line in lines:
        try:
            order = json.loads(line)
            if not order or sorted(order) != list(range(len(order))):
                return
        except (ValueError, TypeError):
            return
        yield order


def _lines(values: Iterable[object]) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode("utf-8")


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(data)
    temporary.replace(path)
