"""One process that asks jedi which names may stand at a place: JSON in, JSON out, a line each.

Confined like the process that asks for definitions (:mod:`lsp.context.jedi_worker`), and apart from
it: a question there may take seconds, and a list is wanted at once.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from lsp.context.jedi_worker import serve

MOST_NAMES = 2000
KINDS_S = 0.05
"""How long kinds of other modules' names are asked for: another module may have to be read."""

Row = tuple[str, str, str, str, str]
"""Name, kind, scope, module and path, as :class:`lsp.popup.names.Name` has them."""


def main() -> None:
    """Answer until the input ends."""
    serve(names)


def names(jedi: Any, asked: dict[str, Any], environment: Any, project: Any, root: str) -> list[Row]:
    """Return the names at ``asked["line"]`` (from 1) and ``asked["column"]``, in jedi's order."""
    path = str(Path(root) / asked["path"])
    line, column = asked["line"], asked["column"]
    text = _with_a_name(asked["text"], line, column)
    script = jedi.Script(text, path=path, environment=environment, project=project)
    found = script.complete(line, column)[:MOST_NAMES]
    around = _around(script, line, column)
    until = time.monotonic() + KINDS_S
    rows: list[Row] = []
    for one in found:
        where = os.path.realpath(one.module_path) if one.module_path is not None else ""
        own = where == os.path.realpath(path)
        kind = one.type if own or time.monotonic() < until else ""
        inside = where.startswith(root + os.sep) and not own
        rows.append((
            one.name, kind,
            _scope(around, one.line, kind) if own and one.line is not None else "",
            "" if own else one.module_name or "",
            os.path.relpath(where, root).replace(os.sep, "/") if inside else "",
        ))  # fmt: skip
    return rows


def _with_a_name(text: str, line: int, column: int) -> str:
    """Return ``text`` with a name at a place at the end of a line where none is begun.

    To parso an indented line with nothing on it is outside of the function that it goes on.
    """
    lines = text.split("\n")
    head, tail = lines[line - 1][:column], lines[line - 1][column:]
    if tail.strip() or head[-1:].isidentifier() or head[-1:].isdigit():
        return text
    lines[line - 1] = f"{head}x{tail}"
    return "\n".join(lines)


def _around(script: Any, line: int, column: int) -> list[tuple[str, int, int]]:
    """Return type, first and last line of the functions and classes around a place, inmost first."""
    spans: list[tuple[str, int, int]] = []
    try:
        place = script.get_context(line, column)
        while place is not None and place.type in ("function", "class"):
            start, end = place.get_definition_start_position(), place.get_definition_end_position()
            if start is not None and end is not None:
                spans.append((place.type, start[0], end[0]))
            place = place.parent()
    except Exception:  # of broken code less is known
        return spans
    return spans


def _scope(around: list[tuple[str, int, int]], line: int, kind: str) -> str:
    """Return what the declaration on a line is in; on its first line, only its parameters are."""

    def has(start: int, end: int) -> bool:
        return start < line <= end or (line == start and kind == "param")

    return next((what for what, start, end in around if has(start, end)), "file")


if __name__ == "__main__":
    main()
