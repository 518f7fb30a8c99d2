"""Statements that use a name of another file of their package, as CrossCodeEval's items are.

An item is one statement of one line. Its end is hidden from a place at or before the first use of
a name that the file imports from a sibling file. The name is defined at the top of that file, and
the rest of the text at the cursor has it in import statements alone: what it is stands elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from eval.build.spread import draw, spread, top_folder
from eval.build.tree import SourceFile, Tree

VERSION = "1"
REEXPORTS = 2
"""How many ``__init__.py`` a name may have been passed on by."""
LEAST, MOST = 6, 160
"""Bytes of a reference."""
_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Raise, ast.Assert)
"""Statements that are whole at their line's end. A block's head is not: what is scored is cut to
its first statement, which would take in the body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Defined:
    """Where a name is defined: a file, and the line of it in which the name stands, from 1 on."""

    path: str
    name: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossFile:
    """One item; offsets are bytes of ``text``."""

    path: str
    """From the tree's root."""
    text: bytes
    start: int
    end: int
    name: str
    """The name of the other file that the reference uses first."""
    defined_in: str
    """Path of that file, from the tree's root."""
    line: int
    """The line of it in which the name is defined, from 1 on."""

    @property
    def id(self) -> str:
        """Path and byte offset."""
        return f"{self.path}:{self.start}"

    @property
    def reference(self) -> bytes:
        """What is hidden."""
        return self.text[self.start : self.end]


def build(tree: Tree, limit: int, seed: int) -> list[CrossFile]:
    """Return at most ``limit`` (0: all) items of the Python of ``tree``, spread over its packages
    and files; one a line, one for each name of a file."""
    parsed = {file.path: module for file in tree.python if (module := _parsed(file))}
    modules = {f.path: _defined(f, parsed[f.path]) for f in tree.python if f.path in parsed}
    for _ in range(REEXPORTS):
        for path, module in parsed.items():
            if path.endswith("/__init__.py"):
                modules[path] = _imported(module, path, modules) | modules[path]
    found = [
        item
        for file in tree.python
        if file.path in parsed
        for item in _items(file, parsed[file.path], modules, seed)
    ]
    ordered = spread(
        found,
        (lambda item: top_folder(item.path), lambda item: item.path),
        lambda item: draw(seed, item.id),
    )
    return ordered[:limit] if limit else ordered


def _parsed(file: SourceFile) -> ast.Module | None:
    try:
        return ast.parse(file.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _defined(file: SourceFile, module: ast.Module) -> dict[str, _Defined]:
    """Names defined at the top of a file."""
    names: dict[str, _Defined] = {}
    for node in module.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            named = [node.name]
        elif isinstance(node, ast.Assign):
            named = [t.id for t in node.targets if isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            named = [node.target.id]
        else:
            continue
        for name in named:
            names[name] = _Defined(path=file.path, name=name, line=node.lineno)
    return names


def _imported(
    module: ast.Module, path: str, modules: dict[str, dict[str, _Defined]]
) -> dict[str, _Defined]:
    """Local names that are imported from sibling files, to what defines them."""
    found: dict[str, _Defined] = {}
    root = top_folder(path)
    for node in ast.walk(module):
        if not isinstance(node, ast.ImportFrom):
            continue
        folder = PurePosixPath(root)
        if node.level:
            folder = PurePosixPath(path)
            for _ in range(node.level):
                folder = folder.parent
        base = folder.joinpath(*(node.module or "").split(".")).as_posix()
        for other in (f"{base}.py", f"{base}/__init__.py"):
            for alias in node.names:
                definition = modules.get(other, {}).get(alias.name)
                if definition and definition.path != path:
                    found.setdefault(alias.asname or alias.name, definition)
    return found


def _items(
    file: SourceFile, module: ast.Module, modules: dict[str, dict[str, _Defined]], seed: int
) -> Iterator[CrossFile]:
    # A byte-order mark and lone "\r" or "\f" make ast's lines other than ours.
    if file.text.startswith(b"\xef\xbb\xbf") or re.search(rb"\r|\f", file.text):
        return
    imported = _imported(module, file.path, modules)
    if not imported:
        return
    starts = [0, *(m.end() for m in re.finditer(rb"\n", file.text))]
    shown = _without_imports(module, file.text, starts)
    taken: set[str] = set()
    for node in ast.walk(module):
        if not isinstance(node, _SIMPLE) or node.lineno != node.end_lineno:
            continue
        line = starts[node.lineno - 1]
        end = line + (node.end_col_offset or 0)
        used = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in imported]
        if not used or file.text[end:].split(b"\n", 1)[0].strip():
            continue
        first = min(used, key=lambda n: n.col_offset)
        columns = sorted(
            {
                n.col_offset
                for n in ast.walk(node)
                if isinstance(n, ast.expr | ast.stmt) and n.col_offset <= first.col_offset
            }
        )
        start = line + columns[draw(seed, file.path, line) % len(columns)]
        word = re.compile(rb"\b%s\b" % re.escape(first.id.encode()))
        if (
            first.id in taken
            or not LEAST <= end - start <= MOST
            or word.search(shown[:start])
            or word.search(shown[end:])
        ):
            continue
        taken.add(first.id)
        defined = imported[first.id]
        yield CrossFile(
            path=file.path, text=file.text, start=start, end=end, name=defined.name,
            defined_in=defined.path, line=defined.line,
        )  # fmt: skip


def _without_imports(module: ast.Module, text: bytes, starts: list[int]) -> bytes:
    """Return ``text`` with import statements blanked, of the same length."""
    out = bytearray(text)
    for node in ast.walk(module):
        if isinstance(node, ast.Import | ast.ImportFrom):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
            out[start:end] = b" " * (end - start)
    return bytes(out)
