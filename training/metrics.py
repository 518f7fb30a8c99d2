"""The metrics of a run: one JSON line a row, appended as it goes.

Lives here: the file and nothing that is measured. A resumed run drops the rows that were written
after its checkpoint, so that every step stands there once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAME = "metrics.jsonl"


def append_row(folder: Path, row: dict[str, Any]) -> None:
    """Write one row at the end."""
    with (folder / NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def keep_rows(folder: Path, last_step: int) -> None:
    """Drop the rows behind ``last_step``."""
    rows = [row for row in read_rows(folder) if row["step"] <= last_step]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / NAME).write_text(text, encoding="utf-8")


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Return all rows; a line that was cut by a crash counts as unwritten."""
    path = folder / NAME
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows
