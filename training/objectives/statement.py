"""Statement completion: the middle is one whole statement.

CodeFill (ICSE 2022, section 3.3) trains it as a task of its own. Here it is a plain FIM middle,
and only statements without a block, which the kinds of :mod:`training.objectives.middles` cover.
"""

from __future__ import annotations

import ast

from training.objectives.places import Places
from training.objectives.task import Task


def statement_tasks(places: Places, tree: ast.Module) -> list[Task]:
    """Return every statement that holds no other and is no docstring or other bare constant."""
    out: list[Task] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or hasattr(node, "body") or hasattr(node, "cases"):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        span = places.start(node), places.end(node)
        out.append(Task(needs=span, middle=span))
    return out
