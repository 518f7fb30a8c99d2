"""Dual generation: the body from signature and docstring, the docstring from the body.

CodeT5 (arXiv 2109.00859, section 3.2) trains both directions between code and its description, so
that each explains the other. In an editor both are ordinary cursors. In languages that describe a
definition above it, the comment there is its docstring.
"""

from __future__ import annotations

from collections.abc import Iterator

from training.objectives.parsed import ABSENT, BODY, DOCSTRING, FUNCTION, WHOLE, Parsed
from training.objectives.places import Span
from training.objectives.task import Task


def body_tasks(parsed: Parsed) -> list[Task]:
    """Return the bodies of documented functions; signature and docstring stand before them."""
    return [
        Task(needs=(start, body[1]), middle=body)
        for function, start, _, body in _documented(parsed)
        if function
    ]


def docstring_tasks(parsed: Parsed) -> list[Task]:
    """Return the docstrings of functions and classes that have a body behind them."""
    return [
        Task(needs=(start, body[1]), middle=docstring)
        for _, start, docstring, body in _documented(parsed)
    ]


def _documented(parsed: Parsed) -> Iterator[tuple[bool, int, Span, Span]]:
    """Yield of what has both: whether it is a function, where it starts, docstring and body."""
    for row in parsed.column("definition").tolist():
        (a, b), (c, d) = row[DOCSTRING], row[BODY]
        if ABSENT not in (a, c):
            yield bool(row[FUNCTION]), min(a, row[WHOLE][0]), (a, b), (c, d)
