"""The journal of a run: what was answered and run so far, so that a run that ends can go on.

JSON lines. The first is the header with the run's fingerprint, every further one an item's answers
or a program's outcome, written as soon as it is there and handed to the system at once: the end of
the process, however it comes, loses what was in flight and nothing else. A last line that was cut
off is dropped. It knows nothing of suites or engines.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from eval.execution.program import Outcome, Program
from eval.item import Answer
from eval.running import codec
from eval.running.fingerprint import differences

FORMAT = 1
KEPT_DAYS = 30
"""How long a journal in the cache waits to be taken up again."""


class Journal:
    """One run's journal, open for writing; use :func:`open_journal`."""

    def __init__(self, path: Path, descriptor: int, lines: list[dict[str, Any]]) -> None:
        self.path = path
        self.answers: dict[tuple[str, str], list[Answer]] = {}
        """By who answered (empty: the engine; else a baseline's name) and item id."""
        self.outcomes: dict[str, Outcome] = {}
        """By :func:`eval.running.codec.program_key`."""
        self.started: str = lines[0]["started"]
        self._before = self._last = 0.0  # seconds of earlier sessions, and of the one read now
        self._file = os.fdopen(descriptor, "a", encoding="utf-8")
        self._begin = time.monotonic()
        for line in lines[1:]:
            self._take(line)
        self._before += self._last
        self._write({"session": now()})

    @property
    def seconds(self) -> float:
        """Spent on the run, over all sessions; of an ended one up to its last line."""
        return self._before + time.monotonic() - self._begin

    def answered(self, by: str, item: str, answers: Sequence[Answer]) -> None:
        """Keep the answers of ``item``."""
        self.answers[by, item] = list(answers)
        self._write({"by": by, "item": item, "answers": [*map(codec.answer_to_json, answers)]})

    def ran(self, program: Program, outcome: Outcome) -> None:
        """Keep what became of ``program``."""
        key = codec.program_key(program)
        self.outcomes[key] = outcome
        self._write({"program": key, **codec.outcome_to_json(outcome)})

    def safe(self, by: str = "") -> int:
        """Return how many items ``by`` has answered."""
        return sum(1 for who, _ in self.answers if who == by)

    def close(self) -> None:
        """Let it go; it stays for the next session. Safe to repeat."""
        self._file.close()

    def remove(self) -> None:
        """Remove it: the result is written."""
        self.path.unlink(missing_ok=True)
        self.close()

    def _take(self, line: dict[str, Any]) -> None:
        if "session" in line:
            self._before, self._last = self._before + self._last, 0.0
            return
        self._last = line["at"]
        if "item" in line:
            answers = [codec.answer_from_json(table) for table in line["answers"]]
            self.answers[line["by"], line["item"]] = answers
        else:
            self.outcomes[line["program"]] = codec.outcome_from_json(line)

    def _write(self, line: dict[str, Any]) -> None:
        line["at"] = round(time.monotonic() - self._begin, 3)
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()


def open_journal(path: Path, fingerprint: Mapping[str, Any], *, fresh: bool = False) -> Journal:
    """Open the journal at ``path``, or begin one; ``fresh`` forgets what is there.

    Raises:
        UsageError: it is another run's, no journal, being written, or cannot be.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"{path}, where answers are kept, is no regular file; remove it")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"{path} is being written by another run of the same name; wait for it, "
                "or give another --json FILE"
            ) from None
        if fresh:
            os.ftruncate(descriptor, 0)
        lines = _read(path, descriptor)
        if lines:
            _check(path, lines[0], fingerprint)
        else:
            header = {"journal": FORMAT, "started": now(), "fingerprint": dict(fingerprint)}
            os.write(descriptor, json.dumps(header, separators=(",", ":")).encode() + b"\n")
            lines = [header]
        return Journal(path, descriptor, lines)
    except (KeyError, TypeError, ValueError, AttributeError):
        os.close(descriptor)
        raise UsageError(
            f"{path} is damaged or no journal of `caret eval`; --fresh starts anew"
        ) from None
    except BaseException:
        with contextlib.suppress(OSError):
            os.close(descriptor)
        raise


def cached_path(fingerprint: Mapping[str, Any]) -> Path:
    """Return where the journal of a run without ``--json FILE`` lies; clears out old ones there."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "caret" / "eval"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    oldest = time.time() - KEPT_DAYS * 86400
    for path in folder.glob("*.partial"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
    name = str(fingerprint.get("suite", "")).replace(":", "-")
    return folder / f"{name}-{codec.digest(fingerprint)[:16]}.partial"


def now() -> str:
    """Return the time as ISO 8601, UTC, in whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _check(path: Path, header: dict[str, Any], fingerprint: Mapping[str, Any]) -> None:
    if header.get("journal") != FORMAT:
        raise UsageError(
            f"{path} is no journal that this version of Caret goes on with; --fresh starts anew"
        )
    wrong = differences(header["fingerprint"], json.loads(json.dumps(dict(fingerprint))))
    if wrong:
        raise UsageError(
            f"{path} is of another run: {'; '.join(wrong)}; --fresh starts anew, "
            "another --json FILE keeps both"
        )


def _read(path: Path, descriptor: int) -> list[dict[str, Any]]:
    """Return the whole lines, and cut off what a killed process left of one more."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.ftruncate(descriptor, whole)
    return [json.loads(line) for line in data[:whole].splitlines()]
