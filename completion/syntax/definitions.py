"""What is shown of a definition that stands elsewhere: a few of its lines, and which ones.

A function shows its signature and the first paragraph of its description; a class its header, its
fields and how it is made; anything else its first lines. Above a member stands the header of what
it is a member of. Both the editor's context and training show definitions by this module, so that
a model reads what it was trained on. Broken text shows what of it still parses.

What is shown is named by places in the source, so definitions of one file join without repeating
a header, and whoever shows them can tell whether a place is one that must not be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from completion.syntax.languages import Language

if TYPE_CHECKING:
    from tree_sitter import Node

LIMIT = 480
"""Bytes shown of one definition, the headers around it not counted; about 140 tokens."""
DESCRIPTION_SHARE = 0.5
"""The most of it that a description takes."""
MEMBERS = 8
"""The most fields of a class, and constructors, that are shown with it."""
MEMBER_LINES = 3
"""A field that is longer is a table, and not shown with its class."""
COMMENT_LINES = 4
"""A comment above a definition that is longer is a chapter and not its description."""

BLANKS = " \t\r\n\v\f"
"""What is cut off behind a piece."""
P = TypeVar("P", bound=tuple[int, int, str | bytes])
"""A piece: start, end and what closes it; bytes here, characters where text is characters."""

_DEFINES = re.compile(
    r"(_(definition|declaration|item|spec|specifier|declarator|signature|signature_item)"
    r"|^declaration|^assignment|^variant|_variant|_entry|^class|^module|^(singleton_)?method)$"
)
"""Node types that define what their name says; one table for all grammars, whose names agree."""
_HOLDS = re.compile(
    r"(^module|program|source_file|translation_unit|block|body|statement|clause|definition"
    r"|declaration|_item|spec|specifier|declaration_list|variant_list|spec_list|ERROR)$"
)
"""Node types that may hold definitions. Expressions do not."""
_NAME = re.compile(r"identifier$|^constant$|^name$|^word$")
"""Node types that are a name: Ruby's are constants, PHP's names, the shell's words."""
_FUNCTION = re.compile(r"function|method|constructor")
_AROUND = frozenset(
    {
        "decorated_definition", "export_statement", "expression_statement", "lexical_declaration",
        "template_declaration", "type_declaration",
    }
)  # fmt: skip
"""Nodes that a definition begins with when it is their child."""
_CONSTRUCTORS = frozenset({b"__init__", b"__new__", b"constructor", b"new"})
_MEMBER = frozenset({"attribute", "member_expression"})
_OWN = frozenset({b"self", b"this"})


class Piece(NamedTuple):
    """Bytes of a source, from the start of a line on."""

    start: int
    end: int
    tail: bytes = b""
    """What closes a description that was cut off; else nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """One definition of a source; offsets are bytes."""

    name: bytes
    at: int
    """Where its name stands."""
    start: int
    end: int
    """All of it, with what decorates it."""
    pieces: tuple[Piece, ...]
    """What is shown of it, in order; first the headers around it."""


def definitions(language: Language, source: bytes, limit: int = LIMIT) -> list[Definition]:
    """Return what ``source`` defines outside of function bodies, in the order of the names.

    Attributes that a constructor gives its object count as members of the class. ``limit`` is in
    bytes and cuts at line ends, but never to nothing.

    Raises:
        ImportError: the grammar is not installed.
    """
    return definitions_below(language.parser.parse(source).root_node, source, limit)


def definitions_below(root: Node, source: bytes, limit: int = LIMIT) -> list[Definition]:
    """Return what :func:`definitions` does, of a ``source`` that is parsed already."""
    finder = _Finder(source, limit)
    finder.walk(root)
    return sorted(finder.found.values(), key=lambda d: d.at)


def shown_bytes(source: bytes, pieces: Iterable[Piece]) -> bytes:
    """Return pieces of one source as one text."""
    kept = arranged(pieces)
    return b"".join(source[p.start : p.end].rstrip(BLANKS.encode()) + p.tail + b"\n" for p in kept)


def arranged(pieces: Iterable[P]) -> list[P]:
    """Return pieces in the order of their source, each once and none that another one shows."""
    out: list[P] = []
    behind = -1
    for piece in sorted(set(pieces), key=lambda p: (p[0], -p[1])):
        if piece[1] > behind:
            out.append(piece)
            behind = piece[1]
    return out


class _Finder:
    """One walk over a tree."""

    def __init__(self, source: bytes, limit: int) -> None:
        self._source, self._limit = source, limit
        self.found: dict[int, Definition] = {}
        """By the place of the name: of nested nodes with one name the outermost counts."""

    def walk(self, root: Node) -> None:
        """Find everything below ``root``; a stack, because broken text nests as deep as it likes."""
        stack: list[tuple[Node, tuple[Piece, ...]]] = [(root, ())]
        while stack:
            node, outer = stack.pop()
            if _DEFINES.search(node.type):
                self._define(node, outer)
                if _FUNCTION.search(node.type):
                    self._attributes(node, outer)
                    continue
                if node.child_by_field_name("body") is not None:
                    outer = (*outer, self._header(node))
            stack += [(n, outer) for n in reversed(node.named_children) if _inside(n)]

    def _define(self, node: Node, outer: tuple[Piece, ...]) -> None:
        name = _name(node)
        if name is None or name.start_byte in self.found:
            return
        whole = _decorated(node)
        self.found[name.start_byte] = Definition(
            name=self._source[name.start_byte : name.end_byte],
            at=name.start_byte,
            start=whole.start_byte,
            end=whole.end_byte,
            pieces=(*outer, *self._shown(node)),
        )

    def _attributes(self, node: Node, outer: tuple[Piece, ...]) -> None:
        """Take what a constructor assigns to its object."""
        name, body = _name(node), node.child_by_field_name("body")
        if name is None or body is None or not outer:
            return
        if self._source[name.start_byte : name.end_byte] not in _CONSTRUCTORS:
            return
        for statement in body.named_children:
            for assigned in statement.named_children:
                left = assigned.child_by_field_name("left")
                if left is not None and left.type in _MEMBER:
                    self._define(assigned, outer)

    def _shown(self, node: Node) -> list[Piece]:
        """Return the lines of one definition, within the limit."""
        pieces = [self._header(node)]
        body = node.child_by_field_name("body")
        above = self._comment(node)
        if above:
            pieces.insert(0, above)
        if body is not None:
            description = self._docstring(body)
            pieces += [description] if description else []
            if not _FUNCTION.search(node.type):
                pieces += self._members(body)
        room = self._limit
        kept: list[Piece] = []
        for piece in pieces:
            room -= piece.end - piece.start + 1
            if room < 0 and kept:
                break
            kept.append(piece)
        return kept

    def _header(self, node: Node) -> Piece:
        """Return the definition up to its body, or its first lines if it has none."""
        start, end = _decorated(node).start_byte, node.end_byte
        body = _body(node)
        if body is not None and body.start_byte > node.start_byte:
            end = self._behind_code(body.parent or node, body)
        return self._piece(start, end)

    def _behind_code(self, node: Node, body: Node) -> int:
        """Where the header ends: before its body and before what is a comment in between."""
        before = [c for c in node.children if c.end_byte <= body.start_byte and c != body]
        while before and ("comment" in before[-1].type):
            before.pop()
        return before[-1].end_byte if before else body.start_byte

    def _piece(self, start: int, end: int, share: float = 1.0) -> Piece:
        """Return whole lines from ``start`` on; beyond a share of the limit it ends at a line's end."""
        most = int(share * self._limit)
        line = self._source.rfind(b"\n", 0, start) + 1
        if self._source[line:start].strip():
            line = start  # behind other code: a second statement of its line
        end = max(start, end)
        if end - line > most:
            cut = self._source.rfind(b"\n", line, line + most + 1)
            end = cut if cut > start else line + most
            while end > start and self._source[end] & 0xC0 == 0x80:
                end -= 1  # not inside a character
        return Piece(line, end)

    def _docstring(self, body: Node) -> Piece | None:
        """Return the first paragraph of a description that opens a body, closed again."""
        first = body.named_children[0] if body.named_children else None
        string = first.named_children[0] if first is not None and first.named_children else None
        if first is None or first.type != "expression_statement" or string is None:
            return None
        if string.type != "string" or string.child_count < 2:
            return None
        closing = self._source[string.children[-1].start_byte : string.end_byte]
        blank = re.compile(rb"\n[ \t\r]*\n").search(
            self._source, string.start_byte, string.end_byte
        )
        end = blank.start() if blank else string.end_byte
        shown = self._piece(string.start_byte, end, DESCRIPTION_SHARE)
        return shown._replace(tail=closing) if shown.end < string.end_byte else shown

    def _comment(self, node: Node) -> Piece | None:
        """Return the comment lines right above a definition."""
        whole = _decorated(node)
        first, row = None, whole.start_point.row
        above = whole.prev_sibling
        while above is not None and "comment" in above.type:
            line = self._source.rfind(b"\n", 0, above.start_byte) + 1
            # a line comment of some grammars ends behind its line end, and so in the row below
            if above.end_point.row < row - 1 or self._source[line : above.start_byte].strip():
                break
            first, row = above, above.start_point.row
            above = above.prev_sibling
        if first is None or whole.start_point.row - row > COMMENT_LINES:
            return None
        end = self._source.rfind(b"\n", 0, whole.start_byte)
        return self._piece(first.start_byte, end) if end > first.start_byte else None

    def _members(self, body: Node) -> list[Piece]:
        """Return the fields of a class and how it is made."""
        pieces: list[Piece] = []
        for child in body.named_children:
            node = child
            if (
                child.type in ("expression_statement", "decorated_definition")
                and child.named_children
            ):
                node = child.named_children[-1]
            if len(pieces) == MEMBERS or not _DEFINES.search(node.type):
                continue
            name = _name(node)
            if not _FUNCTION.search(node.type):
                if node.end_point.row - child.start_point.row < MEMBER_LINES:
                    pieces.append(self._piece(child.start_byte, node.end_byte))
            elif "constructor" in node.type or (
                name and self._source[name.start_byte : name.end_byte] in _CONSTRUCTORS
            ):
                pieces.append(self._header(node))
        return pieces


def _inside(node: Node) -> bool:
    return bool(_HOLDS.search(node.type) or _DEFINES.search(node.type))


def _name(node: Node) -> Node | None:
    """Return the node that a definition's name stands in."""
    name = node.child_by_field_name("name")
    if name is None:
        name = node.child_by_field_name("left") or node.child_by_field_name("declarator")
    while name is not None and not _NAME.search(name.type):
        if name.type in _MEMBER:
            holder = name.child_by_field_name("object")
            if holder is None or holder.text not in _OWN:
                return None
            name = name.child_by_field_name("attribute") or name.child_by_field_name("property")
        else:
            name = name.child_by_field_name("declarator") or name.child_by_field_name("name")
    return name


def _body(node: Node) -> Node | None:
    """Return the body of a definition, or of the function that it gives a name to."""
    body = node.child_by_field_name("body")
    if body is None:
        value = node.child_by_field_name("value")
        body = value.child_by_field_name("body") if value is not None else None
    return body


def _decorated(node: Node) -> Node:
    """Return the node with its decorators, or with what exports it or starts its line."""
    parent = node.parent
    while (
        parent is not None
        and parent.type in _AROUND
        and parent.start_point.row <= node.start_point.row
    ):
        node, parent = parent, parent.parent
    return node
