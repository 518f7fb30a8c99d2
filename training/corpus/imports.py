"""The order in which the files of a package explain each other: what is imported comes first.

In-Context Pretraining (Shi et al., arXiv 2310.10638) puts related documents behind one another; here
what is related is read off the repository and its imports, not off embeddings. Pure and static:
nothing is imported and nothing is run.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator, Sequence

from training.corpus.modules import Modules
from training.corpus.shards import Document

_RELATIVE = re.compile(
    r"""(?m)(?:^[ \t]*\#[ \t]*include[ \t]*"([^"\n]+)")"""
    r"""|(?:\b(?:from|import|require)[ \t]*\(?[ \t]*(?:"(\.[^"\n]*)"|'(\.[^'\n]*)'))"""
)
"""``#include "a.h"``, ``from "./a"``, ``import "./a"``, ``require("./a")``."""


def import_order(documents: Sequence[Document]) -> list[int]:
    """Return the places of one package's documents, each behind those that it imports.

    Where nothing else decides, and where imports go round in a circle, paths do: of a circle the
    import is ignored that leads back to a file whose imports are still being placed.
    """
    by_path = sorted(range(len(documents)), key=lambda i: (documents[i].path, i))
    rank = {number: at for at, number in enumerate(by_path)}
    imported = [sorted(found, key=rank.__getitem__) for found in _imported(documents)]
    placed: list[int] = []
    seen: set[int] = set()
    for root in by_path:
        if root in seen:
            continue
        seen.add(root)
        under_way = [(root, iter(imported[root]))]
        while under_way:
            number, rest = under_way[-1]
            target = next((i for i in rest if i not in seen), None)
            if target is None:
                placed.append(number)
                under_way.pop()
            else:
                seen.add(target)
                under_way.append((target, iter(imported[target])))
    return placed


def _imported(documents: Sequence[Document]) -> list[set[int]]:
    """By document, the others of the package that it imports."""
    modules = Modules(documents)
    paths = {document.path: number for number, document in enumerate(documents)}
    found: list[set[int]] = []
    for number, document in enumerate(documents):
        if number in modules.read:
            targets = set(_python_targets(modules, number))
        else:
            targets = set(_relative_targets(document, paths))
        found.append(targets - {number})
    return found


def _python_targets(modules: Modules, number: int) -> Iterator[int]:
    for node in _import_statements(modules.read[number][0].body):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = modules.absolute(number, node.module, node.level)
            # A name of a package may be a module in it; then its __init__ is not what is used.
            for alias in node.names:
                inner = f"{module}.{alias.name}" if module else alias.name
                names.append(inner if inner in modules.numbers else module)
        yield from (modules.numbers[name] for name in names if name in modules.numbers)


def _import_statements(body: Sequence[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """All of them, wherever they stand; expressions, of which most of a tree is, hold none."""
    under_way = list(body)
    while under_way:
        node = under_way.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not isinstance(node, ast.expr):
            under_way += ast.iter_child_nodes(node)


def _relative_targets(document: Document, paths: dict[str, int]) -> Iterator[int]:
    folder, ending = posixpath.dirname(document.path), posixpath.splitext(document.path)[1]
    for match in _RELATIVE.finditer(document.text):
        said = next(group for group in match.groups() if group)
        path = posixpath.normpath(posixpath.join(folder, said))
        for candidate in (path, path + ending, f"{path}/index{ending}"):
            if candidate in paths:
                yield paths[candidate]
                break
