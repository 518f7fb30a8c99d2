"""Which nodes of a Python file become items: those of a length that one answer can hold.

What the kinds are stands in :mod:`completion.syntax.node_places`; here ``line`` is added, which is
no node: from a character drawn in the text of a line to its end. Places are bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from completion.syntax.node_places import SPANS, Place, find_nodes
from completion.syntax.node_queries import PYTHON
from eval.build.code import BOM
from eval.build.spread import draw

KINDS = (
    *("line", "arguments", "body", "name", "header", "block", "import", "docstring"),
    "statement",
)
"""Those of training's mixture but ``random``, which no node is, and the task of one statement."""
LONGEST = 400
"""Bytes of a middle: about what the tokens of one answer can hold."""


def places(path: str, text: bytes, seed: int) -> dict[str, list[Place]] | None:
    """Return the places of each kind in a file, in order; ``None``: it is no Python.

    What is over :data:`LONGEST` is left out.
    """
    nodes = find_nodes(PYTHON, text)
    if nodes.broken:
        return None
    source = b" " * len(BOM) + text[len(BOM) :] if text.startswith(BOM) else text
    found = {kind: nodes.spans[kind] for kind in SPANS}
    found["line"] = sorted(set(_lines(path, source, seed)))
    found["docstring"] = sorted(d.docstring for d in nodes.definitions if d.docstring)
    found["body"] = sorted(d.body for d in nodes.definitions if d.function and d.body)
    return {kind: [p for p in found[kind] if p[1] - p[0] <= LONGEST] for kind in KINDS}


def _lines(path: str, source: bytes, seed: int) -> Iterator[Place]:
    """Yield a place in each line of text, of code and comments alike, from a whole character on."""
    begin = 0
    for row in source.split(b"\n"):
        content = row.rstrip()
        start = len(content) - len(content.lstrip())
        starts = [at for at in range(start, len(content)) if content[at] & 0xC0 != 0x80]
        if starts and len(content) - start <= LONGEST:
            at = starts[draw(seed, path, begin, "line") % len(starts)]
            yield begin + at, begin + len(content)
        begin += len(row) + 1
