"""What the Python modules of one package define: names to where they stand.

Pure, from the syntax trees alone; nothing is imported and nothing is run. Lives here: the tables of
modules, classes and functions. What an expression refers to is found by ``resolve``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from training.corpus.shards import Document
from training.objectives.places import Places, parse_module

_DEFINED = re.compile(r"(?:async\s+)?(?:def|class)\s+")
_ROOTS = ("src.", "lib.", "Lib.", "python.")
"""Folders that hold packages and are none themselves."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True, eq=False)
class Import:
    """A name that stands for a module, or for ``name`` of it."""

    module: str
    name: str | None = None


@dataclass(slots=True, eq=False)
class Defined:
    """A name that a document defines; ``node`` is its class or function, or ``None``."""

    document: int
    at: int
    """The character where the name stands."""
    node: ast.ClassDef | Function | None = None
    scope: Scope | None = None
    """What the expressions below are to be read in."""
    annotation: ast.expr | None = None
    value: ast.expr | None = None
    members: dict[str, Defined] = field(default_factory=dict[str, "Defined"])
    """Of a class, with what its methods give to their object."""


@dataclass(slots=True, eq=False)
class Scope:
    """Names of a module, of a function, or of a class's own body; ``None``: a name that hides."""

    module: int
    names: dict[str, Binding] = field(default_factory=dict[str, "Binding"])
    outer: Scope | None = None
    owner: Defined | None = None
    """The class around it."""
    is_class: bool = False
    """Whether it is the body of ``owner``, whose names its methods do not see by themselves."""
    own: str = ""
    """What a method calls its object, or its class if ``owns_class``."""
    owns_class: bool = False
    stars: list[str] = field(default_factory=list[str])
    """Modules all of whose names are taken."""


Binding = Defined | Import | None


class Modules:
    """The modules among the documents of one package."""

    def __init__(self, documents: Sequence[Document]) -> None:
        """Read all documents that are Python and parse."""
        self.read: dict[int, tuple[ast.Module, Places, Scope]] = {}
        """By the place of the document in ``documents``."""
        self.numbers: dict[str, int] = {}
        """Of documents, by the dotted name of the module."""
        self.folders: set[str] = set()
        """Dotted names that modules stand under."""
        self._names: dict[int, str] = {}
        self._packages: set[int] = set()
        for number, document in enumerate(documents):
            if document.path.endswith((".py", ".pyi")):
                tree = parse_module(document.text)
                if tree is not None:
                    self._register(document.path, number)
                    self.read[number] = tree, Places(document.text), Scope(number)
        for number, (tree, places, scope) in self.read.items():
            Binder(self, number, places).fill(tree.body, scope)

    def absolute(self, number: int, module: str | None, level: int) -> str:
        """Return the dotted name that an import in document ``number`` means."""
        if not level:
            return module or ""
        parts = self._names[number].split(".")
        parts = parts[: max(0, len(parts) - level + (number in self._packages))]
        return ".".join([*parts, module] if module else parts)

    def _register(self, path: str, number: int) -> None:
        name = path.rpartition(".")[0].replace("/", ".")
        for root in _ROOTS:
            name = name.removeprefix(root)
        if name == "__init__" or name.endswith(".__init__"):
            name = name.removesuffix("__init__").rstrip(".")
            self._packages.add(number)
        self._names[number] = name
        if path.endswith(".py"):
            self.numbers[name] = number
        else:  # a stub speaks for a module that is not there
            self.numbers.setdefault(name, number)
        while name := name.rpartition(".")[0]:
            self.folders.add(name)


class Binder:
    """Fills the scopes of one document; of several definitions of a name the first counts."""

    def __init__(self, modules: Modules, number: int, places: Places) -> None:
        self._modules, self._number, self._places = modules, number, places

    def fill(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        """Bind what the statements bind, in nested blocks too but not in functions and classes."""
        for statement in _flat(body):
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if _is_overload(scope.names.get(statement.name)):
                        del scope.names[statement.name]  # the last of them is the function
                    scope.names.setdefault(statement.name, self._named(statement, scope))
                case ast.ClassDef():
                    made = self._named(statement, scope)
                    if scope.names.setdefault(statement.name, made) is made:
                        self._members(made, statement, scope)
                case ast.Import():
                    for alias in statement.names:
                        whole = alias.name if alias.asname else alias.name.partition(".")[0]
                        scope.names.setdefault(alias.asname or whole, Import(whole))
                case ast.ImportFrom():
                    module = self._modules.absolute(self._number, statement.module, statement.level)
                    for alias in statement.names:
                        if alias.name == "*":
                            scope.stars.append(module)
                        else:
                            bound = Import(module, alias.name)
                            scope.names.setdefault(alias.asname or alias.name, bound)
                case ast.AnnAssign(target=ast.Name(id=name) as target):
                    made = self._valued(target, scope, statement.annotation, statement.value)
                    scope.names.setdefault(name, made)
                case ast.Assign(targets=[ast.Name(id=name) as target]):
                    scope.names.setdefault(name, self._valued(target, scope, None, statement.value))
                case _:
                    for name in _targets(statement):
                        scope.names.setdefault(name, None)

    def function(self, node: Function | ast.Lambda, scope: Scope) -> Scope:
        """Return the scope of a function that is defined in ``scope``."""
        made = Scope(self._number, outer=scope, owner=scope.owner)
        arguments = node.args
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for argument in given:
            typed = None
            if argument.annotation is not None:
                at = self._places.start(argument)
                typed = Defined(self._number, at, scope=scope, annotation=argument.annotation)
            made.names[argument.arg] = typed
        for argument in (arguments.vararg, arguments.kwarg):
            if argument:
                made.names[argument.arg] = None
        if isinstance(node, ast.Lambda):
            return made
        marks = {d.id for d in node.decorator_list if isinstance(d, ast.Name)}
        if scope.is_class and given and "staticmethod" not in marks:
            made.own = given[0].arg
            made.owns_class = "classmethod" in marks or node.name == "__new__"
        self.fill(node.body, made)
        for statement in _flat(node.body):
            if isinstance(statement, ast.Global | ast.Nonlocal):
                for name in statement.names:
                    made.names.pop(name, None)
        return made

    def body(self, node: ast.ClassDef, scope: Scope, owner: Defined) -> Scope:
        """Return the scope of the body of a class that is defined in ``scope``."""
        made = Scope(self._number, outer=scope, owner=owner, is_class=True)
        self.fill(node.body, made)
        return made

    def _members(self, made: Defined, node: ast.ClassDef, scope: Scope) -> None:
        inner = self.body(node, scope, made)
        made.members = {n: b for n, b in inner.names.items() if isinstance(b, Defined)}
        methods = [s for s in _flat(node.body) if isinstance(s, Function)]
        for method in sorted(methods, key=lambda m: m.name != "__init__"):
            within = self.function(method, inner)
            own = within.own
            for statement in _flat(method.body) if own and not within.owns_class else ():
                match statement:
                    case ast.Assign(targets=[ast.Attribute() as target], value=value):
                        annotation = None
                    case ast.AnnAssign(target=ast.Attribute() as target, value=value):
                        annotation = statement.annotation
                    case _:
                        continue
                if isinstance(target.value, ast.Name) and target.value.id == own:
                    at = self._places.end(target) - len(target.attr)
                    made.members.setdefault(
                        target.attr,
                        Defined(
                            self._number, at, scope=within, annotation=annotation, value=value
                        ),
                    )  # fmt: skip

    def _named(self, node: ast.ClassDef | Function, scope: Scope) -> Defined:
        start = self._places.start(node)
        word = _DEFINED.match(self._places.text, start)
        return Defined(self._number, word.end() if word else start, node=node, scope=scope)

    def _valued(
        self, target: ast.Name, scope: Scope, annotation: ast.expr | None, value: ast.expr | None
    ) -> Defined:
        at = self._places.start(target)
        return Defined(self._number, at, scope=scope, annotation=annotation, value=value)


def _is_overload(bound: Binding) -> bool:
    if not isinstance(bound, Defined) or not isinstance(bound.node, Function):
        return False
    marks = [d.attr if isinstance(d, ast.Attribute) else d for d in bound.node.decorator_list]
    return any(m == "overload" or (isinstance(m, ast.Name) and m.id == "overload") for m in marks)


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a body and of the blocks in it, in order."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.ClassDef, *_FUNCTIONS)):
            continue
        for name in ("body", "handlers", "orelse", "finalbody", "cases"):
            for part in getattr(statement, name, ()):
                if isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield from _flat(part.body)
                else:
                    yield from _flat([part])


def _targets(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement other than a plain assignment binds."""
    parts: list[ast.AST] = []
    match statement:
        case ast.Assign():
            parts += statement.targets
        case ast.AugAssign() | ast.For() | ast.AsyncFor():
            parts.append(statement.target)
        case ast.With() | ast.AsyncWith():
            parts += [i.optional_vars for i in statement.items if i.optional_vars]
        case ast.Try():
            yield from (h.name for h in statement.handlers if h.name)
        case _:
            pass
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
