"""Statement completion: the middle is one whole statement.

CodeFill (ICSE 2022, section 3.3) trains it as a task of its own. Here it is a plain FIM middle,
and only statements without a block, which the kinds of :mod:`training.objectives.middles` cover.
"""

from __future__ import annotations

from training.objectives.parsed import Parsed
from training.objectives.task import Task


def statement_tasks(parsed: Parsed) -> list[Task]:
    """Return every statement that holds no other and is no docstring or other bare constant."""
    return [
        Task(needs=(start, end), middle=(start, end))
        for start, end in parsed.column("statement").tolist()
    ]
