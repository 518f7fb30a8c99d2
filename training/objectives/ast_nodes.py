"""The nodes of Python by its own parser, for where no grammar is installed: a packed run.

Pure. It finds what :func:`completion.syntax.node_places.find_nodes` does, in characters. A test
holds the two together on real code; where they differ is said there.
"""

from __future__ import annotations

import ast
import re

from completion.syntax.node_places import SPANS, Defined, NodePlaces
from training.objectives.places import Places, Span

_OPENING = re.compile(r"(?:async\s+)?(?:def|class)\s+")
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def ast_nodes(places: Places, tree: ast.Module) -> NodePlaces:
    """Return the nodes of a text that was parsed already; of identifiers there are none."""
    finder = _Finder(places)
    for node in ast.walk(tree):
        finder.visit(node)
    return NodePlaces(
        spans={kind: sorted(set(found)) for kind, found in finder.spans.items()},
        ends=sorted(finder.ends),
        definitions=sorted(finder.definitions, key=lambda d: (d.name, d.whole)),
        identifiers=[],
        broken=False,
    )


class _Finder:
    """Collects what the nodes of one document are."""

    def __init__(self, places: Places) -> None:
        self._text = places.text
        self._start, self._end = places.start, places.end
        self.spans: dict[str, list[Span]] = {kind: [] for kind in SPANS}
        self.ends: set[int] = set()
        self.definitions: list[Defined] = []

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt) and not hasattr(node, "body") and not hasattr(node, "cases"):
            self._statement(node)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._define(node)
            case ast.If() | ast.While():
                self._add("header", self._start(node.test), self._end(node.test))
                self._block(node.body)
            case ast.For() | ast.AsyncFor():
                self._add("header", self._start(node.target), self._end(node.iter))
                self._block(node.body)
            case ast.With() | ast.AsyncWith() | ast.Try():
                self._block(node.body)
            case ast.Call():
                end = self._end(node)
                if self._text[end - 1 : end] == ")":
                    self._add("arguments", self._open(node.func, end), end - 1)
            case ast.Attribute() | ast.Name():
                self._add("name", self._start(node), self._end(node))
            case ast.Import() | ast.ImportFrom():
                self._add("import", self._start(node), self._end(node))
            case _:
                pass

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            self.ends.add(self._end(node))
        else:
            self._add("statement", self._start(node), self._end(node))

    def _open(self, function: ast.expr, end: int) -> int:
        """The character behind the parenthesis that opens a call's arguments."""
        at = self._text.find("(", self._end(function), end)
        return end if at < 0 else at + 1

    def _define(self, node: Documented) -> None:
        start, body = self._start(node), node.body
        opening = _OPENING.match(self._text, start)
        name = opening.end() if opening else start
        docstring: Span | None = None
        line = self._text.find("\n", name)
        if 0 < line <= self._first(body[0]):
            self._add("header", name, line)
        if ast.get_docstring(node, clean=False) is not None:
            docstring, body = (self._start(body[0]), self._end(body[0])), body[1:]
        self.definitions.append(
            Defined(
                function=not isinstance(node, ast.ClassDef),
                whole=(start, self._end(node)),
                name=(name, name + len(node.name)),
                docstring=docstring,
                body=(self._first(body[0]), self._end(body[-1])) if body else None,
            )
        )

    def _first(self, node: ast.stmt) -> int:
        """Where a statement starts with its decorators, which stand before its own place."""
        decorators = getattr(node, "decorator_list", [])
        if not decorators:
            return self._start(node)
        return self._text.rfind("@", 0, self._start(decorators[0]))

    def _block(self, body: list[ast.stmt]) -> None:
        self._add("block", self._first(body[0]), self._end(body[-1]))

    def _add(self, kind: str, start: int, end: int) -> None:
        if 0 <= start < end:
            self.spans[kind].append((start, end))
