"""The documents of one package after another: checked by workers, taken in an order drawn by hash.

Files are read, checked and forgotten as they pass: what waits at any time is a few batches for each
worker. What stays in memory is a fingerprint and the index's entry of each kept document.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from training.corpus import filters
from training.corpus.account import Tally
from training.corpus.checks import BEYOND, Batch, Known, Verdict, check_batch
from training.corpus.journal import writing
from training.corpus.languages import language_of
from training.corpus.marks import Marks
from training.corpus.near import NearDuplicates
from training.corpus.scale import Workers
from training.corpus.shards import Document
from training.corpus.sources import Package

_BATCH_FILES = 32
"""About a quarter of a megabyte, as source files are; 160 MB where all were as large as is read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much is taken of a package."""

    package_bytes: int | None
    """Most text of it; ``None``: all."""
    test_share: float
    """Most of its text that may come from test suites."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What is to be taken of one package; ``tally`` grows with each of its files."""

    number: int
    package: Package
    tally: Tally
    limits: Limits


class Intake:
    """Takes packages in turn; ``marks`` and ``seen`` grow with each document that is kept.

    ``seen`` are the fingerprints of other documents that must not come again, ``out`` is the folder
    in which the marks are.
    """

    def __init__(
        self, workers: Workers, known: Known, marks: Marks, seen: set[bytes], out: Path
    ) -> None:
        self._workers, self._known, self._out = workers, known, out
        self._marks, self._seen, self._near = marks, seen, NearDuplicates(marks)
        for number, (fingerprint, signature) in enumerate(marks):
            seen.add(fingerprint)
            self._near.add(number, signature)

    def packages(self, turns: Sequence[Turn]) -> Iterator[tuple[Turn, Iterator[Document]]]:
        """Yield each turn with its documents behind the first ``tally.seen`` files.

        A document comes after it was counted; those of a package end before the next one's begin.
        """
        by_number = {turn.number: turn for turn in turns}
        batches = (batch for turn in turns for batch in _batches(turn))
        checked = self._workers.map(partial(check_batch, self._known), batches)
        for number, group in groupby(checked, key=lambda pair: pair[0]):
            turn = by_number[number]
            yield turn, self._documents(turn, (v for _, verdicts in group for v in verdicts))

    def _documents(self, turn: Turn, verdicts: Iterator[Verdict]) -> Iterator[Document]:
        tally = turn.tally
        for verdict in verdicts:
            tally.seen += 1
            test = filters.is_test(verdict.path)
            reason = self._refusal(verdict, turn, test=test)
            if reason:
                tally.dropped[reason] += 1
                continue
            with writing(self._out):
                number = self._marks.append(verdict.fingerprint, verdict.signature)
            self._seen.add(verdict.fingerprint)
            self._near.add(number, verdict.signature)
            path = printable(verdict.path)
            tally.keep(verdict.size, language_of(path) or "", test=test)
            yield Document(turn.package.name, path, verdict.data.decode("utf-8"))

    def _refusal(self, verdict: Verdict, turn: Turn, *, test: bool) -> str:
        tally, limits, size = turn.tally, turn.limits, verdict.size
        # The cap comes first: a file beyond it need not have been checked, and the account must
        # not tell whether it was.
        if limits.package_bytes is not None and tally.bytes + size > limits.package_bytes:
            return BEYOND
        if verdict.reason:
            return verdict.reason
        if verdict.fingerprint in self._seen:
            return "seen"
        if test and tally.test_bytes + size > limits.test_share * (tally.bytes + size):
            return "beyond the share of tests"
        return "near duplicate" if self._near.known(verdict.signature) else ""


def _batches(turn: Turn) -> Iterator[Batch]:
    """The files that are left; one empty batch where there are none, so that each package appears."""
    package, limits, tally = turn.package, turn.limits, turn.tally
    paths = package.paths(lambda path: _order(package.name, path), tally.seen)
    for start in range(0, max(1, len(paths)), _BATCH_FILES):
        # The tally only grows: what is beyond the cap now will be found so at its turn.
        room = None if limits.package_bytes is None else limits.package_bytes - tally.bytes
        yield Batch(
            package=turn.number,
            reader=package.reader,
            paths=paths[start : start + _BATCH_FILES],
            room=room,
        )


def _order(package: str, path: str) -> tuple[bool, bytes]:
    """Code before its tests, each in an order that no name, folder or date decides."""
    name = os.fsencode(f"{package}/{path}")
    return filters.is_test(path), hashlib.sha256(name).digest()


def printable(path: str) -> str:
    """Return a path as text: bytes of its name that are not UTF-8 are written ``\\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
