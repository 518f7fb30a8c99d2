"""What is run and what came of it: the border between suites and the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a program. Everything but ``PASSED`` is a failed item."""

    PASSED = "passed"
    FAILED = "failed"
    """It ended by itself with an error or a wrong answer."""
    COMPILE = "compile"
    """It is not a program of its language."""
    TIME = "time"
    """Out of CPU or wall time."""
    MEMORY = "memory"
    FORBIDDEN = "forbidden"
    """It tried what the sandbox does not allow, or was ended for it."""
    SKIPPED = "skipped"
    """Its language has no tool chain here; counted apart, neither passed nor failed."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run of a program that reads and writes: passes when the output is as expected."""

    stdin: str
    outputs: tuple[str, ...]
    """Any of them is right; compared as :mod:`eval.execution.compare` says."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program to be run; equal programs are run once. Hashable."""

    language: str
    """``python``, ``cpp``, ``java``, ``csharp``."""
    source: str
    cases: tuple[Case, ...] = ()
    """Empty: it passes when it ends with status 0, without having been made to stop early
    (``exit()`` before its tests have run is a failure)."""
    seconds: float = 6.0
    """Of CPU, and with some grace of wall time, for each case."""
    memory_mib: int = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of it."""

    verdict: Verdict
    detail: str = ""
    """One line: the last line of the error, the signal, the limit."""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the item counts."""
        return self.verdict is Verdict.PASSED
