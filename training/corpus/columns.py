"""Columns of many documents in one array, read through the page cache.

``train-000.spans.npy`` is one row of int32: where each column of each document begins, then all the
numbers, document by document. ``train-000.types`` has one byte for each byte of text, at the same
place as in ``train-000.text``. Lives here: packing and reading them, pure but for the mapping.
"""

from __future__ import annotations

import io
import mmap
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from completion.errors import UsageError
from training.objectives.byte_types import ByteTypes
from training.objectives.parsed import COLUMNS, Column, Parsed

_NUMBERS = {name: number for number, name in enumerate(COLUMNS)}


@dataclass(frozen=True, slots=True)
class Stored:
    """The columns of one document of a mapped shard."""

    starts: Column
    """(columns + 1): where each column begins in ``numbers``."""
    numbers: Column
    types_of: memoryview | bytes
    """The types of the document's bytes."""

    def column(self, name: str) -> Column:
        """Return the rows of one kind."""
        at = _NUMBERS[name]
        return self.numbers[self.starts[at] : self.starts[at + 1]].reshape(-1, COLUMNS[name])

    def types(self) -> ByteTypes:
        """Return the type of every byte."""
        return np.frombuffer(self.types_of, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class StoredShard:
    """The columns of all documents of a shard."""

    starts: Column
    """(documents · columns + 1)"""
    numbers: Column
    types: mmap.mmap | bytes

    @staticmethod
    def of(flat: npt.NDArray[np.int32], types: mmap.mmap | bytes, documents: int) -> StoredShard:
        """Take the two files of a shard.

        Raises:
            UsageError: they do not belong to so many documents.
        """
        count = documents * len(COLUMNS) + 1
        plain = flat.view(np.ndarray)  # slices of a memmap are slow
        if len(plain) < count or int(plain[count - 1]) != len(plain) - count:
            raise UsageError("spans are of other documents")
        return StoredShard(plain[:count], plain[count:], types)

    def document(self, row: int, start: int, end: int) -> Stored:
        """Return what is stored of a document, whose text lies from ``start`` to ``end``."""
        first = row * len(COLUMNS)
        starts = self.starts[first : first + len(COLUMNS) + 1]
        return Stored(starts, self.numbers, memoryview(self.types)[start:end])


class ColumnsWriter:
    """Puts the columns of documents together, in the order in which they come."""

    def __init__(self) -> None:
        self._counts: list[int] = []
        self._numbers: list[bytes] = []
        self.types = io.BytesIO()
        self.rows = dict.fromkeys(COLUMNS, 0)
        """How many rows of each column there are."""

    def add(self, parsed: Parsed) -> None:
        """Add one document."""
        for name in COLUMNS:
            column = parsed.column(name)
            self._counts.append(column.size)
            self._numbers.append(column.tobytes())
            self.rows[name] += len(column)
        self.types.write(parsed.types().tobytes())

    def spans(self) -> bytes:
        """Return the file of all columns so far."""
        starts = np.concatenate(([0], np.cumsum(np.array(self._counts, dtype=np.int64))))
        if starts[-1] > np.iinfo(np.int32).max:
            raise UsageError("a shard has too much in it for its spans; write smaller shards")
        numbers = np.frombuffer(b"".join(self._numbers), dtype=np.int32)
        file = io.BytesIO()
        np.save(file, np.concatenate((starts.astype(np.int32), numbers)))
        return cast("bytes", file.getvalue())
