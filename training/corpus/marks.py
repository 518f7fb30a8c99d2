"""What deduplication knows of each kept document, in one file that only grows.

A record is 16 bytes of fingerprint and the document's MinHash signature, 1024 bytes. Records are
numbered in the order of the documents. Lives here: the file; what is a duplicate is decided elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

PERMUTATIONS = 256
_FINGERPRINT = 16
_DTYPE = np.dtype("<u4")
RECORD_BYTES = _FINGERPRINT + PERMUTATIONS * _DTYPE.itemsize


class Marks:
    """The first ``count`` records of the file at ``path``, which is made where it is not there.

    Records past ``count`` are cut off: they were written by a run that did not live to say so.
    Raises OSError where the disk is full.
    """

    def __init__(self, path: Path, count: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: a record is one write, and can be read back at once.
        self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        self._file.truncate(count * RECORD_BYTES)
        self.count = count

    def append(self, fingerprint: bytes, signature: np.ndarray) -> int:
        """Write a record and return its number."""
        record = fingerprint + signature.astype(_DTYPE).tobytes()
        start = self.count * RECORD_BYTES
        while record:
            written = os.pwrite(self._file.fileno(), record, start)
            record, start = record[written:], start + written
        self.count += 1
        return self.count - 1

    def signature(self, number: int) -> np.ndarray:
        """Return the signature of record ``number``."""
        return self._read(number)[1]

    def __iter__(self) -> Iterator[tuple[bytes, np.ndarray]]:
        """Yield fingerprint and signature of every record."""
        return map(self._read, range(self.count))

    def _read(self, number: int) -> tuple[bytes, np.ndarray]:
        record = os.pread(self._file.fileno(), RECORD_BYTES, number * RECORD_BYTES)
        return record[:_FINGERPRINT], np.frombuffer(record, _DTYPE, offset=_FINGERPRINT)

    def close(self) -> None:
        """Close the file; it stays."""
        self._file.close()
