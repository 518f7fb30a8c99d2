"""The metrics of a run: one JSON line a row, appended as it goes.

Lives here: the file and nothing that is measured. A resumed run drops the rows that were written
after its checkpoint, so that every step stands there once.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from training.run.files import replacing, writing

NAME = "metrics.jsonl"


def append_row(folder: Path, row: dict[str, Any]) -> None:
    """Write one row at the end, onto the disk: a checkpoint must not outlive the rows before it."""
    path = folder / NAME
    with writing(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


def keep_rows(folder: Path, last_step: int, *, finished: bool) -> None:
    """Drop the rows behind ``last_step``, and the last word of a run that is not ``finished``.

    It was measured, but a kill came before the weights it speaks of.
    """
    rows = [row for row in read_rows(folder) if row["step"] <= last_step]
    if not finished:
        rows = [row for row in rows if not row.get("final")]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    with replacing(folder / NAME) as file:
        file.write(text.encode("utf-8"))


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Return all rows; a line that was cut by a crash counts as unwritten."""
    path = folder / NAME
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            break
        if not isinstance(row, dict) or "step" not in row:
            break  # a number is all that is left of a torn line, or the disk gave zeros
        rows.append(row)
    return rows
