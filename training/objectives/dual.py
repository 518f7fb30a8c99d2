"""Dual generation: the body from signature and docstring, the docstring from the body.

CodeT5 (arXiv 2109.00859, section 3.2) trains both directions between code and its description, so
that each explains the other. In an editor both are ordinary cursors.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from training.objectives.places import Places, Span
from training.objectives.task import Task

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def body_tasks(places: Places, tree: ast.Module) -> list[Task]:
    """Return the bodies of documented functions; signature and docstring stand before them."""
    return [
        Task(needs=(start, body[1]), middle=body)
        for node, start, _, body in _documented(places, tree)
        if not isinstance(node, ast.ClassDef)
    ]


def docstring_tasks(places: Places, tree: ast.Module) -> list[Task]:
    """Return the docstrings of functions and classes that have a body behind them."""
    return [
        Task(needs=(start, body[1]), middle=docstring)
        for _, start, docstring, body in _documented(places, tree)
    ]


def _documented(places: Places, tree: ast.Module) -> Iterator[tuple[Documented, int, Span, Span]]:
    """Yield nodes with a docstring and more, where they start, the docstring and the rest."""
    for node in ast.walk(tree):
        if not isinstance(node, Documented) or len(node.body) < 2:
            continue
        if ast.get_docstring(node, clean=False) is not None:
            first, last = node.body[0], node.body[-1]
            docstring = places.start(first), places.end(first)
            body = _start(places, node.body[1]), places.end(last)
            yield node, places.start(node), docstring, body


def _start(places: Places, node: ast.stmt) -> int:
    """Where a statement starts with its decorators, which stand before its own place."""
    decorators = getattr(node, "decorator_list", [])
    if not decorators:
        return places.start(node)
    return places.text.rfind("@", 0, places.start(decorators[0]))
