"""What one parse of a document tells, as columns of numbers, and how it is found.

Pure. A corpus that is mapped has the columns of all its documents stored (``training.corpus``); of
another text they are found when they are asked for, by the same functions. Syntax comes from the
grammar of the file's language, names and scopes of Python from its own parser. All places are
characters, but for the types, which are one to a byte.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from completion.syntax.languages import language_for
from completion.syntax.node_places import SPANS, Defined, NodePlaces, find_nodes, grammar_for
from completion.syntax.node_queries import PYTHON
from training.objectives.ast_nodes import ast_nodes
from training.objectives.byte_types import ByteTypes, byte_types
from training.objectives.name_rows import names_from, plain_names, rows_of
from training.objectives.names import Names, names_of
from training.objectives.places import Places, parse_module

NODE_COLUMNS = {**dict.fromkeys(SPANS, 2), "end": 1, "definition": 9}
"""Numbers a row, of what :mod:`completion.syntax.node_places` finds.

Each of its kinds has start and end. ``end``: of further statements without a block.
``definition``: 1 for a function, 0 for a class; then start and end of all of it, of its name, of
its docstring and of its body; :data:`ABSENT` stands for a docstring or a body that there is not.
"""
NAME_COLUMNS = {"identifier": 3, "scope": 2}
"""Numbers a row of what :mod:`training.objectives.name_rows` packs."""
COLUMNS = {**NODE_COLUMNS, **NAME_COLUMNS}
ABSENT = -1
FUNCTION, WHOLE, NAME, DOCSTRING, BODY = 0, slice(1, 3), slice(3, 5), slice(5, 7), slice(7, 9)
"""Where in a row of ``definition`` a thing stands."""

Column = npt.NDArray[np.int32]


class Parsed(Protocol):
    """One document's columns, stored or found."""

    def column(self, name: str) -> Column:
        """Return the rows (N, :data:`COLUMNS`) of one kind, sorted."""
        ...

    def types(self) -> ByteTypes:
        """Return the type of every byte of the text."""
        ...


class Found:
    """The columns of a text, each found when it is asked for."""

    def __init__(self, path: str, text: str) -> None:
        self._path, self._text = path, text

    def column(self, name: str) -> Column:
        """Return the rows of one kind."""
        return self._node_columns[name] if name in NODE_COLUMNS else self._name_columns[name]

    def types(self) -> ByteTypes:
        """Return the type of every byte; of other languages than the lexer's no word is known."""
        return byte_types(self._text, language_for("", self._path), self._names.found)

    @cached_property
    def _is_python(self) -> bool:
        return self._path.lower().endswith(PYTHON.extensions)

    @cached_property
    def _tree(self) -> ast.Module | None:
        return parse_module(self._text) if self._is_python else None

    @cached_property
    def _nodes(self) -> NodePlaces | None:
        grammar = grammar_for(self._path)
        return find_nodes(grammar, _encoded(self._text)) if grammar else None

    @cached_property
    def _node_columns(self) -> dict[str, Column]:
        if self._nodes:
            return _columns(self._nodes, _characters(self._text))
        if self._tree:  # a packed run has no grammars
            return _columns(ast_nodes(Places(self._text), self._tree), None)
        return {name: _rows([], width) for name, width in NODE_COLUMNS.items()}

    @cached_property
    def _names(self) -> Names:
        if self._tree:
            return names_of(Places(self._text), self._tree)
        if not self._nodes:
            return Names(found=[], scopes=[])
        places = _rows(self._nodes.identifiers, 2)
        characters = _characters(self._text)
        return plain_names(self._text, places if characters is None else characters[places])

    @cached_property
    def _name_columns(self) -> dict[str, Column]:
        names = self._names
        return {"identifier": _rows(rows_of(names), 3), "scope": _rows(names.scopes, 2)}


def names_in(text: str, parsed: Parsed) -> Names:
    """Return the names of a document with their scopes, as far as its language's parser tells."""
    return names_from(text, parsed.column("identifier"), parsed.column("scope"))


def _columns(nodes: NodePlaces, characters: Column | None) -> dict[str, Column]:
    out = {kind: _rows(nodes.spans[kind], 2) for kind in SPANS}
    out["end"] = _rows([(end,) for end in nodes.ends], 1)
    out["definition"] = _rows([_definition(d) for d in nodes.definitions], 9)
    if characters is None:
        return out
    flags = out["definition"][:, 0].copy()
    missing = out["definition"] == ABSENT
    out = {name: characters[rows] for name, rows in out.items()}
    out["definition"][missing] = ABSENT
    out["definition"][:, 0] = flags
    return out


def _definition(found: Defined) -> tuple[int, ...]:
    none = (ABSENT, ABSENT)
    docstring, body = found.docstring or none, found.body or none
    return (int(found.function), *found.whole, *found.name, *docstring, *body)


def _rows(rows: Sequence[Sequence[int]], width: int) -> Column:
    return np.array(rows, dtype=np.int32).reshape(-1, width)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _characters(text: str) -> Column | None:
    """Return the character that begins at or stands over each byte; ``None``: they are the same."""
    if text.isascii():
        return None
    first = (np.frombuffer(_encoded(text), np.uint8) & 0xC0) != 0x80
    return np.concatenate(([0], np.cumsum(first))).astype(np.int32)
