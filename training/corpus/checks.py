"""What is asked of one file's bytes, wherever the check runs: filters, copies, marks.

A check depends on the file, on the held-out packages and on the benchmarks alone, never on another
file of the corpus: in what order and in which process files are checked changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.corpus import filters
from training.corpus.contamination import Benchmarks, HeldOut, fingerprint
from training.corpus.languages import PYTHON, comment_of, language_of
from training.corpus.near import signature
from training.corpus.readers import Reader

BEYOND = "beyond the package's cap"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Some files of one package, in their order."""

    package: int
    """The package's number in the build."""
    reader: Reader
    paths: list[str]
    room: int | None = None
    """Bytes that the package may still hold, at most; ``None``: any number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Why a file is not kept, or else its text and the two marks by which another one is the same."""

    path: str
    reason: str = ""
    size: int = 0
    """Bytes of its text; 0 where it needed no look at the text."""
    data: bytes = b""
    fingerprint: bytes = b""
    signature: Any = None
    """uint32 numbers, as :func:`~training.corpus.near.signature` makes them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What must not be trained on."""

    held_out: HeldOut
    benchmarks: Benchmarks | None

    def check(self, path: str, data: bytes) -> Verdict:
        """Judge one file by itself."""
        size = len(data)
        reason = filters.reject_text(path, data)
        if reason:
            return Verdict(path=path, reason=reason, size=size)
        text = data.decode("utf-8")
        if self.held_out.copied_in(text):
            return Verdict(path=path, reason="copy of a held-out file", size=size)
        if self.benchmarks and self.benchmarks.contained_in(text):
            return Verdict(path=path, reason="benchmark item", size=size)
        if language_of(path) == PYTHON and (reason := filters.reject_syntax(text)):
            return Verdict(path=path, reason=reason, size=size)
        values: np.ndarray = signature(text)
        mark = fingerprint(text, comment_of(path))
        return Verdict(path=path, size=size, data=data, fingerprint=mark, signature=values)


def check_batch(known: Known, batch: Batch) -> tuple[int, list[Verdict]]:
    """Read and judge the files of a batch; return its package's number and the verdicts in order."""
    verdicts: list[Verdict] = []
    foreign = {path for path in batch.paths if filters.is_foreign(path)}
    files = batch.reader.read(path for path in batch.paths if path not in foreign)
    for path in batch.paths:
        if path in foreign:
            verdicts.append(Verdict(path=path, reason="vendored"))
            continue
        file = next(files)
        data, reason = file.data.removeprefix(_BOM), file.reason
        if len(data) > filters.MAX_BYTES:
            reason = "too large"
        elif batch.room is not None and len(data) > batch.room:
            reason = BEYOND
        verdicts.append(Verdict(path=path, reason=reason) if reason else known.check(path, data))
    return batch.package, verdicts
