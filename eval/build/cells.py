"""Notebooks: the code cells of a real one, and cells made of a file by splitting it.

A made notebook has the file's text exactly: a definition is a cell of its own, statements between
definitions share one, and what stands before a statement (comments, blank lines) goes with it.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, cast

from completion.syntax.rules import PYTHON
from eval.build.code import BOM, LogicalLine, logical_lines

MOST = 64
"""Earlier cells that come with an item, the nearest ones; the service takes at most 256 pieces."""
_GOES_ON = frozenset((b"else", b"elif", b"except", b"finally"))


def split_cells(text: bytes) -> list[bytes]:
    """Return a file's text as cells; joined they are the file. No Python: one cell."""
    starts: list[int] = []
    behind = 0
    alone = True
    """Whether the statement before has to be a cell of its own."""
    decorated = False
    for line in logical_lines(text) or ():
        begin = text.rfind(b"\n", 0, line.start) + 1
        first = line.tokens[0].text
        top = not text[begin : line.start].strip(b"\f" + BOM)
        if top and first not in _GOES_ON:
            block = _is_block(line)
            if not decorated and (block or alone):
                starts.append(behind)
            alone, decorated = block, first == b"@"
        end = text.find(b"\n", line.stop)
        behind = end + 1 if end >= 0 else len(text)
    edges = sorted({0, *starts, len(text)})
    return [text[a:b] for a, b in pairwise(edges)]


def _is_block(line: LogicalLine) -> bool:
    first, last = line.tokens[0].text, line.tokens[-1].text
    return first == b"@" or last == b":" or first in PYTHON.compound_words - {b"match", b"case"}


def notebook_cells(text: bytes) -> list[bytes]:
    """Return the code cells of a Jupyter notebook of Python; empty for anything else."""
    try:
        table = cast("dict[str, Any]", json.loads(text.decode("utf-8-sig")))
        about = table.get("metadata", {})
        kernel = about.get("kernelspec", {}).get("language")
        language = about.get("language_info", {}).get("name") or kernel or "python"
        if language != "python":
            return []
        sources = [c["source"] for c in table["cells"] if c["cell_type"] == "code"]
        return ["".join(source).encode() for source in sources]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
