"""Every name of a parsed Python document: where it stands, what it names, where it is bound.

Pure. What a name is follows from how the document binds and uses it, without looking into other
files: a parameter of a function around it, a definition, an import, a builtin, else a variable.
Bindings count for the whole document, whatever the order and the scope they stand in; only
parameters are kept apart by function. That is the fineness of CodeFill's types (ICSE 2022, 3.2).
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from training.objectives.places import Places, Span

_WORD = re.compile(r"\w+")
_DEFINED = re.compile(r"(?:async\s+)?(?:def|class)\s+")
_IMPORTED = "imported"
"""The kind of a name from ``from m import name`` until its uses are known."""
NO_SCOPE = -1
"""The scope of what is bound in a class: no bare name refers to it."""


@dataclass(frozen=True, slots=True)
class Name:
    """One occurrence of a name."""

    start: int
    end: int
    """Characters of the document."""
    text: str
    kind: str
    """One of the last six of ``completion.syntax.token_types.TYPES``; NAME where a grammar alone tells
    of it."""
    bare: bool
    """Whether it refers by itself, as no attribute and no keyword of a call does."""
    binds: bool
    """Whether it is a definition, a parameter or the target of an assignment."""
    scope: int
    """The index in :attr:`Names.scopes` of the function around it; 0 is the module."""


@dataclass(frozen=True, slots=True)
class Names:
    """All of one document, in order of their starts."""

    found: list[Name]
    scopes: list[Span]


@dataclass(frozen=True, slots=True)
class _Around:
    """What a node inherits from the nodes around it."""

    parameters: frozenset[str]
    scope: int
    in_class: bool

    @property
    def binding(self) -> int:
        return NO_SCOPE if self.in_class else self.scope


def names_of(places: Places, tree: ast.Module) -> Names:
    """Return the names of a document.

    A name whose place the parser misstates (inside an f-string before Python 3.12) is left out.
    """
    return _Reader(places).read(tree)


class _Reader:
    """One walk: occurrences with what is known at once; the others are resolved at its end."""

    def __init__(self, places: Places) -> None:
        self._places, self._text = places, places.text
        self._found: list[Name] = []
        self._scopes: list[Span] = [(0, len(places.text))]
        self._bound: dict[str, str] = {}
        self._renamed: dict[str, str] = {}
        """Imported names and what they are called here."""
        self._stored: set[str] = set()
        self._called: set[str] = set()
        self._dotted: set[str] = set()

    def read(self, tree: ast.Module) -> Names:
        outside = _Around(frozenset(), 0, False)
        pending: list[tuple[ast.AST, _Around]] = [(child, outside) for child in tree.body]
        while pending:
            node, around = pending.pop()
            within = self._visit(node, around)
            pending.extend((child, within) for child in _children(node))
        kinds = {n.text: self._resolve(n.text) for n in self._found if not n.kind}
        found = [n if n.kind else replace(n, kind=kinds[n.text]) for n in self._found]
        found.sort(key=lambda n: n.start)
        return Names(found=found, scopes=self._scopes)

    def _visit(self, node: ast.AST, around: _Around) -> _Around:
        """Take the names that ``node`` itself says; return what holds for its children."""
        match node:
            case ast.Name():
                kind = "PARAMETER" if node.id in around.parameters else ""
                stores = isinstance(node.ctx, ast.Store)
                if stores:
                    self._stored.add(node.id)
                start = self._places.start(node)
                self._add(start, node.id, kind, binds=stores, scope=around.binding)
            case ast.Attribute():
                if isinstance(node.value, ast.Name):
                    self._dotted.add(node.value.id)
                start = self._places.end(node) - len(node.attr)
                self._add(start, node.attr, "ATTRIBUTE", bare=False)
            case ast.Call():
                if isinstance(node.func, ast.Name):
                    self._called.add(node.func.id)
            case ast.keyword():
                if node.arg:
                    self._add(self._places.start(node), node.arg, "PARAMETER", bare=False)
            case ast.arg():
                start = self._places.start(node)
                self._add(start, node.arg, "PARAMETER", binds=True, scope=around.scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node, "FUNCTION", around)
                return self._function(node, around)
            case ast.Lambda():
                return self._function(node, around)
            case ast.ClassDef():
                self._define(node, "CLASS", around)
                return _Around(around.parameters, around.scope, True)
            case ast.Import() | ast.ImportFrom():
                self._import(node, around)
            case ast.ExceptHandler() if node.name and node.type:
                start = self._text.find(node.name, self._places.end(node.type) + len(" as"))
                self._add(start, node.name, "VARIABLE", binds=True, scope=around.binding)
            case _:
                pass
        return around

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, around: _Around
    ) -> _Around:
        self._scopes.append((self._places.start(node), self._places.end(node)))
        taken = node.args
        given = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg]
        own = {argument.arg for argument in given if argument}
        return _Around(around.parameters | own, len(self._scopes) - 1, False)

    def _define(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
        kind: str,
        around: _Around,
    ) -> None:
        if not around.in_class:
            self._bound.setdefault(node.name, kind)
        word = _DEFINED.match(self._text, self._places.start(node))
        if word:
            self._add(word.end(), node.name, kind, binds=True, scope=around.binding)

    def _import(self, node: ast.Import | ast.ImportFrom, around: _Around) -> None:
        """Dotted paths are modules; what comes out of a module is told by its use."""
        start, module = self._places.start(node), isinstance(node, ast.Import)
        if not module:
            first = self._places.start(node.names[0])
            self._path(start + len("from"), self._text.rfind("import", start, first))
        for alias in node.names:
            a, b = self._places.start(alias), self._places.end(alias)
            bound = alias.asname or alias.name.partition(".")[0]
            if alias.name == "*":
                continue
            self._bound.setdefault(bound, "MODULE" if module else _IMPORTED)
            kind, head = "MODULE" if module else "", a
            if alias.asname:
                tail = self._text.rfind(alias.asname, a, b)
                self._add(tail, alias.asname, kind, binds=True, scope=around.binding)
                head = tail - len("as ")
            if module:
                self._path(a, head if alias.asname else b)
            else:
                self._renamed[alias.name] = bound
                self._add(a, alias.name, "", binds=not alias.asname, scope=around.binding)

    def _path(self, start: int, end: int) -> None:
        for word in _WORD.finditer(self._text, start, max(start, end)):
            if word.group() != "as":
                self._add(word.start(), word.group(), "MODULE", bare=False)

    def _add(
        self, start: int, text: str, kind: str, *, bare: bool = True, binds: bool = False,
        scope: int = NO_SCOPE,
    ) -> None:  # fmt: skip
        end = start + len(text)
        if self._text[max(0, start) : end] == text:
            self._found.append(Name(start, end, text, kind, bare, binds, scope))

    def _resolve(self, text: str) -> str:
        bound = self._bound.get(text)
        if not bound and text in self._renamed:
            text = self._renamed[text]
            bound = self._bound[text]
        if bound == _IMPORTED:
            return self._by_use(text, "MODULE" if text in self._dotted else "VARIABLE")
        if bound:
            return bound
        if text in self._stored:
            return "VARIABLE"
        known = getattr(builtins, text, None)
        if isinstance(known, type):
            return "CLASS"
        return "FUNCTION" if callable(known) else self._by_use(text, "VARIABLE")

    def _by_use(self, text: str, otherwise: str) -> str:
        """What a name from elsewhere is, by Python's spelling of classes and by being called."""
        plain = text.lstrip("_")
        if plain[:1].isupper() and not plain.isupper():
            return "CLASS"
        return "FUNCTION" if text in self._called else otherwise


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """The child nodes that may hold names."""
    for field in node._fields:
        value = getattr(node, field)
        if isinstance(value, ast.AST):
            if value._fields:  # operators and contexts have none
                yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST) and item._fields:
                    yield item


def by_text(names: Names) -> dict[str, list[Name]]:
    """Return the occurrences of each name, in order."""
    out: dict[str, list[Name]] = defaultdict(list)
    for name in names.found:
        out[name.text].append(name)
    return out
