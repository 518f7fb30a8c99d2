"""What is asked of one file's bytes, run in the pool's processes: filters, copies, marks.

A check depends on the file, on the held-out packages and on the benchmarks alone, never on another
file of the corpus: in what order and in which process files are checked changes nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.corpus import filters
from training.corpus.contamination import Benchmarks, HeldOut, fingerprint
from training.corpus.languages import PYTHON, comment_of, language_of
from training.corpus.near import signature
from training.corpus.sources import File


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a file is not kept, or else the two marks by which another one is the same."""

    reason: str = ""
    fingerprint: bytes = b""
    signature: Any = None
    """uint32 numbers, as :func:`~training.corpus.near.signature` makes them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What must not be trained on."""

    held_out: HeldOut
    benchmarks: Benchmarks | None

    def check(self, file: File) -> Verdict:
        """Judge one file by itself."""
        reason = file.reason or filters.reject_text(file.path, file.data)
        if reason:
            return Verdict(reason)
        text = file.data.decode("utf-8")
        if self.held_out.copied_in(text):
            return Verdict("copy of a held-out file")
        if self.benchmarks and self.benchmarks.contained_in(text):
            return Verdict("benchmark item")
        if language_of(file.path) == PYTHON and (reason := filters.reject_syntax(text)):
            return Verdict(reason)
        values: np.ndarray = signature(text)
        return Verdict("", fingerprint(text, comment_of(file.path)), values)


_known: Known | None = None


def prepare(known: Known) -> None:
    """Set up a process of the pool; it leaves when the one that started it is gone, killed or not."""
    global _known
    _known = known
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def check_batch(files: list[File]) -> list[Verdict]:
    """Judge some files, in their order."""
    assert _known is not None
    return [_known.check(file) for file in files]
