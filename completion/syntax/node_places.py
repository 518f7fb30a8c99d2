"""Where the nodes of a source lie, by the kinds of middles that training and the harness know.

Pure. The grammar decides and not the Python that runs this, so a file is cut the same everywhere.
Places are bytes. In broken text what holds no error counts.

- ``arguments``: what stands in the brackets of a call;
- ``name``: a name or a chain of members, used or assigned to;
- ``header``: what follows ``def`` or ``class`` on its line, a condition, a loop's target and source;
- ``block``: the first block of a compound statement, its braces left out;
- ``import``: the whole statement;
- ``statement``: one that holds no other and is no bare constant;
- of definitions, ``body``: a function's statements behind its docstring; ``docstring``: the whole of
  it, or the comment right above in languages that describe there.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from completion.syntax.node_queries import GRAMMARS, Grammar
from completion.syntax.node_shapes import (
    body_of,
    code_in,
    inside,
    is_no_task,
    name_of,
    stretch,
)

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

Place = tuple[int, int]
"""Bytes, the end not included."""

SPANS = ("arguments", "name", "header", "block", "import", "statement")
"""The kinds that are found beside definitions."""

_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n\f"
_NO_DOCSTRING = frozenset(b"bBfFtT")
"""Prefix letters of strings that describe nothing."""
_AROUND = frozenset(
    ("export_statement", "lexical_declaration", "variable_declaration", "type_declaration")
)
"""Nodes above which the comment of a definition inside them stands."""
_BESIDE = frozenset(("attribute_item", "inner_attribute_item"))
"""Nodes that may stand between a definition and its comment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """One function or class."""

    function: bool
    whole: Place
    """Without what decorates it."""
    name: Place
    docstring: Place | None
    body: Place | None
    """Its statements or members behind the docstring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlaces:
    """All that was found in one source, each list in order and without doubles."""

    spans: dict[str, list[Place]]
    """By the names in :data:`SPANS`."""
    ends: list[int]
    """Ends of statements without a block that are no ``statement``: bare left_out and the like."""
    definitions: list[Defined]
    identifiers: list[Place]
    """Leaves that are names, members and types too."""
    broken: bool
    """Something in the source does not parse."""


def grammar_for(path: str) -> Grammar | None:
    """Return the grammar of a file by its ending; ``None``: there is none, or it is not installed."""
    lower = path.lower()
    for grammar in GRAMMARS:
        if lower.endswith(grammar.extensions):
            return grammar if _installed(grammar.module) else None
    return None


def find_nodes(grammar: Grammar, source: bytes) -> NodePlaces:
    """Return the places of all kinds in ``source``, by one parse.

    Raises:
        ImportError: the grammar is not installed.
    """
    if source.startswith(_BOM):
        source = b" " * len(_BOM) + source[len(_BOM) :]
    parser, query = _tools(grammar)
    root = parser.parse(source).root_node
    from tree_sitter import QueryCursor

    found = QueryCursor(query).captures(root)
    if root.has_error:
        found = {kind: [n for n in nodes if not n.has_error] for kind, nodes in found.items()}
    return _Finder(source, grammar, found).places(broken=root.has_error)


@functools.cache
def _installed(module: str) -> bool:
    try:
        importlib.import_module("tree_sitter")
        importlib.import_module(module)
    except ImportError:
        return False
    return True


@functools.cache
def _tools(grammar: Grammar) -> tuple[Parser, Query]:
    import tree_sitter

    module = importlib.import_module(grammar.module)
    # Grammar wheels hand over a capsule; the stub names only the older integer.
    language = tree_sitter.Language(module.language())  # pyright: ignore[reportDeprecated]
    return tree_sitter.Parser(language), tree_sitter.Query(language, grammar.query)


class _Finder:
    """From the nodes that the query captured to places."""

    def __init__(self, source: bytes, grammar: Grammar, found: dict[str, list[Node]]) -> None:
        self._source, self._grammar, self._found = source, grammar, found

    def places(self, *, broken: bool) -> NodePlaces:
        definitions = [
            defined
            for kind in ("function", "class")
            for node in self._nodes(kind)
            if (defined := self._defined(node, function=kind == "function"))
        ]
        definitions.sort(key=lambda d: (d.name, d.whole))
        whole = self._ordered(self._nodes("identifier"))
        statements, ends = self._statements()
        other = set(self._ordered(self._nodes("other")))
        names = set(whole) | set(self._ordered(self._nodes("chain")))
        headers, blocks = self._branches()
        headers += [h for node in self._definition_nodes() if (h := self._line(node))]
        spans = {
            "arguments": self._arguments(),
            "name": self._kept(names - other),
            "header": self._kept(headers),
            "block": self._kept(blocks),
            "import": self._kept(self._ordered(self._nodes("import"))),
            "statement": statements,
        }
        return NodePlaces(
            spans=spans,
            ends=ends,
            definitions=definitions,
            identifiers=self._kept([*whole, *self._ordered(self._nodes("part"))]),
            broken=broken,
        )

    def _nodes(self, kind: str) -> list[Node]:
        return self._found.get(kind, [])

    def _definition_nodes(self) -> Iterator[Node]:
        yield from self._nodes("function")
        yield from self._nodes("class")

    def _ordered(self, nodes: Iterable[Node]) -> list[Place]:
        return sorted((node.start_byte, node.end_byte) for node in nodes)

    def _kept(self, places: Iterable[Place]) -> list[Place]:
        """Return places in order, blanks at their ends left out, and none that is empty then."""
        return sorted({p for a, b in places if (p := self._trimmed(a, b))[0] < p[1]})

    def _trimmed(self, start: int, end: int) -> Place:
        while end > start and self._source[end - 1] in _BLANKS:
            end -= 1
        return start, end

    def _arguments(self) -> list[Place]:
        """All between the brackets, blanks too: a cursor behind the opening one may have to break
        the line."""
        found = {self._in_brackets(node) for node in self._nodes("arguments")}
        return sorted(place for place in found if place[0] < place[1])

    def _in_brackets(self, node: Node) -> Place:
        """What stands inside of brackets; nothing where there are none."""
        start, end = node.start_byte, node.end_byte
        if self._source[start : start + 1] != b"(" or self._source[end - 1 : end] != b")":
            return start, start
        return start + 1, end - 1

    def _statements(self) -> tuple[list[Place], list[int]]:
        """Statements that hold no other and are no constants, and the ends of the others."""
        nodes = self._nodes("statement")
        left_out = {self._trimmed(n.start_byte, n.end_byte) for n in nodes if is_no_task(n)}
        kept: list[Place] = []
        ends: list[int] = []
        # from the last on: what holds another one begins before it or where it does, and ends behind
        inner = len(self._source) + 1
        for place in reversed(self._kept((n.start_byte, n.end_byte) for n in nodes)):
            if place in left_out or inner < place[1]:
                ends.append(place[1])
            else:
                kept.append(place)
            inner = min(inner, place[0])
        return kept[::-1], sorted(set(ends))

    def _branches(self) -> tuple[list[Place], list[Place]]:
        headers: list[Place] = []
        blocks: list[Place] = []
        for node in self._nodes("branch"):
            block = node.child_by_field_name("consequence") or node.child_by_field_name("body")
            if block is None:
                continue
            before = [n for n in code_in(node) if n.end_byte <= block.start_byte]
            if len(before) == 1 and before[0].type == "parenthesized_expression":
                headers.append(self._unless_python(before[0]))
            elif before:
                headers.append((before[0].start_byte, before[-1].end_byte))
            blocks += stretch(inside(block))
        for node in self._nodes("block"):
            blocks += stretch(inside(node.child_by_field_name("body")))
        return headers, blocks

    def _unless_python(self, node: Node) -> Place:
        """A condition's parentheses belong to the statement, but for Python's, which need none."""
        if self._grammar.docstrings:
            return node.start_byte, node.end_byte
        return self._in_brackets(node)

    def _line(self, node: Node) -> Place | None:
        """What follows the word that opens a definition, on its line, where the body is below."""
        name, held = name_of(node), inside(body_of(node))
        if name is None or not held:
            return None
        end = self._source.find(b"\n", name.start_byte)
        return (name.start_byte, end) if 0 < end <= held[0].start_byte else None

    def _defined(self, node: Node, *, function: bool) -> Defined | None:
        name, held = name_of(node), inside(body_of(node))
        if name is None:
            return None
        docstring: Place | None = None
        if not self._grammar.docstrings:
            docstring = self._comment(node)
        elif held and self._is_docstring(held[0]):
            docstring = held[0].start_byte, held[0].end_byte
            held = held[1:]
        body = stretch(held)
        return Defined(
            function=function,
            whole=self._trimmed(node.start_byte, node.end_byte),
            name=(name.start_byte, name.end_byte),
            docstring=docstring,
            body=self._trimmed(*body[0]) if body else None,
        )

    def _is_docstring(self, node: Node) -> bool:
        if node.type != "expression_statement" or node.named_child_count != 1:
            return False
        string = node.named_child(0)
        if string.type not in ("string", "concatenated_string"):
            return False
        parts = string.named_children if string.type == "concatenated_string" else [string]
        opens = (part.child(0) for part in parts if part.type == "string")
        return not any(_NO_DOCSTRING & set(self._source[o.start_byte : o.end_byte]) for o in opens)

    def _comment(self, node: Node) -> Place | None:
        """The lines of comment right above a definition."""
        parent = node.parent
        while parent is not None and parent.type in _AROUND:
            node, parent = parent, parent.parent
        first: Node | None = None
        end, row, above = 0, node.start_point.row, node.prev_sibling
        while above is not None and ("comment" in above.type or above.type in _BESIDE):
            line = self._source.rfind(b"\n", 0, above.start_byte) + 1
            # a line comment of some grammars ends behind its line end, and so in the row below
            if above.end_point.row < row - 1 or self._source[line : above.start_byte].strip():
                break
            if "comment" in above.type:
                first, end = above, end or above.end_byte
            row, above = above.start_point.row, above.prev_sibling
        return self._trimmed(first.start_byte, end) if first is not None else None
