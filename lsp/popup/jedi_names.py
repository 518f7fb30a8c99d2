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
"""How long kinds are asked for: that of an imported name may need another module to be read."""

Row = tuple[str, str, str, str, str]
"""Name, kind, scope, module and path, as :class:`lsp.popup.names.Name` has them."""


def main() -> None:
    """Answer until the input ends."""
    serve(names)


def names(jedi: Any, asked: dict[str, Any], environment: Any, project: Any, root: str) -> list[Row]:
    """Return the names at ``asked["line"]`` (from 1) and ``asked["column"]``, in jedi's order."""
    path = str(Path(root) / asked["path"])
    script = jedi.Script(asked["text"], path=path, environment=environment, project=project)
    line, column = asked["line"], asked["column"]
    found = script.complete(line, column)[:MOST_NAMES]
    around = _around(script, line, column)
    until = time.monotonic() + KINDS_S
    rows: list[Row] = []
    for one in found:
        kind = one.type if time.monotonic() < until else ""
        where = os.path.realpath(one.module_path) if one.module_path is not None else ""
        own = where == os.path.realpath(path)
        inside = where.startswith(root + os.sep) and not own
        rows.append((
            one.name, kind,
            _scope(around, one.line) if own and one.line is not None else "",
            "" if own else one.module_name or "",
            os.path.relpath(where, root).replace(os.sep, "/") if inside else "",
        ))  # fmt: skip
    return rows


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


def _scope(around: list[tuple[str, int, int]], line: int) -> str:
    return next((kind for kind, start, end in around if start <= line <= end), "file")


if __name__ == "__main__":
    main()
