from __future__ import annotations

from training.objectives.parsed import Found
from training.objectives.statement import statement_tasks

CODE = '''"""Module."""
import os
größe = call(1,
             2); other = 3
def f(x):
    """Do."""
    if x:
        return x
    match x:
        case 1:
            pass
'''


def test_middles_are_whole_statements_without_blocks_and_docstrings() -> None:
    tasks = statement_tasks(Found("a.py", CODE))
    assert {CODE[slice(*t.middle)] for t in tasks} == {
        "import os", "größe = call(1,\n             2)", "other = 3", "return x", "pass",
    }  # fmt: skip
    assert all(t.needs == t.middle for t in tasks)
