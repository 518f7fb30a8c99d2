"""The documents of one package after another: checked by a pool, taken in an order drawn by hash.

Files are read, checked and forgotten as they pass: what waits at any time is a few batches for each
process. What stays in memory is a fingerprint and the index's entry of each kept document.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from completion.errors import CaretError
from training.corpus import filters
from training.corpus.account import Tally
from training.corpus.checks import Verdict, check_batch
from training.corpus.journal import writing
from training.corpus.languages import language_of
from training.corpus.marks import Marks
from training.corpus.near import NearDuplicates
from training.corpus.shards import Document
from training.corpus.sources import File, Package

_BATCH_BYTES = 256 * 2**10
_BATCH_FILES = 64
_BATCHES = 4
"""Batches under way for each process: enough that none waits while a shard is written."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much is taken of a package."""

    package_bytes: int | None
    """Most text of it; ``None``: all."""
    test_share: float
    """Most of its text that may come from test suites."""


class Intake:
    """Takes packages in turn; ``marks`` and ``seen`` grow with each document that is kept.

    ``seen`` are the fingerprints of other documents that must not come again, ``out`` is the folder
    in which the marks are.
    """

    def __init__(
        self,
        pool: concurrent.futures.Executor,
        processes: int,
        marks: Marks,
        seen: set[bytes],
        out: Path,
    ) -> None:
        self._pool, self._ahead, self._out = pool, _BATCHES * processes, out
        self._marks, self._seen, self._near = marks, seen, NearDuplicates(marks)
        for number, (fingerprint, signature) in enumerate(marks):
            seen.add(fingerprint)
            self._near.add(number, signature)

    def documents(self, package: Package, tally: Tally, limits: Limits) -> Iterator[Document]:
        """Yield the kept files behind the first ``tally.seen``, each after it was counted."""
        for file, verdict in self._checked(package, tally, limits):
            tally.seen += 1
            size = len(file.data)
            test = filters.is_test(file.path)
            reason = self._refusal(verdict, size, tally, limits, test=test)
            if reason:
                tally.dropped[reason] += 1
                continue
            with writing(self._out):
                number = self._marks.append(verdict.fingerprint, verdict.signature)
            self._seen.add(verdict.fingerprint)
            self._near.add(number, verdict.signature)
            path = printable(file.path)
            tally.keep(size, language_of(path) or "", test=test)
            yield Document(package.name, path, file.data.decode("utf-8"))

    def _refusal(
        self, verdict: Verdict, size: int, tally: Tally, limits: Limits, *, test: bool
    ) -> str:
        # The cap comes first: a file beyond it need not have been checked, and the account must
        # not tell whether it was.
        if _is_beyond(size, tally, limits):
            return "beyond the package's cap"
        if verdict.reason:
            return verdict.reason
        if verdict.fingerprint in self._seen:
            return "seen"
        if test and tally.test_bytes + size > limits.test_share * (tally.bytes + size):
            return "beyond the share of tests"
        return "near duplicate" if self._near.known(verdict.signature) else ""

    def _checked(
        self, package: Package, tally: Tally, limits: Limits
    ) -> Iterator[tuple[File, Verdict]]:
        """All files in their order, each with its verdict; some batches ahead of who asks."""
        files = package.files(lambda path: _order(package.name, path), tally.seen)
        waiting: deque[tuple[list[File], concurrent.futures.Future[list[Verdict]]]] = deque()
        try:
            while True:
                while len(waiting) < self._ahead and (batch := _batch(files, tally, limits)):
                    waiting.append((batch, self._pool.submit(check_batch, batch)))
                if not waiting:
                    return
                batch, future = waiting.popleft()
                yield from zip(batch, future.result(), strict=True)
        except BrokenProcessPool:
            raise CaretError(
                "a process that checks files was ended from outside (was memory short?); give the "
                "same command again, with a lower --processes: it goes on from the last whole shard"
            ) from None


def _batch(files: Iterator[File], tally: Tally, limits: Limits) -> list[File]:
    batch: list[File] = []
    size = 0
    while size < _BATCH_BYTES and len(batch) < _BATCH_FILES:
        file = next(files, None)
        if file is None:
            break
        data, reason = file.data.removeprefix(_BOM), file.reason
        if filters.is_foreign(file.path):
            reason = "vendored"
        elif len(data) > filters.MAX_BYTES:
            reason = "too large"
        elif _is_beyond(len(data), tally, limits):
            reason = "beyond the package's cap"  # the tally only grows: so it will be found then
        batch.append(File(file.path, data if not reason else b"", reason))
        size += len(batch[-1].data)
    return batch


def _is_beyond(size: int, tally: Tally, limits: Limits) -> bool:
    return limits.package_bytes is not None and tally.bytes + size > limits.package_bytes


def _order(package: str, path: str) -> tuple[bool, bytes]:
    """Code before its tests, each in an order that no name, folder or date decides."""
    name = os.fsencode(f"{package}/{path}")
    return filters.is_test(path), hashlib.sha256(name).digest()


def printable(path: str) -> str:
    """Return a path as text: bytes of its name that are not UTF-8 are written ``\\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
