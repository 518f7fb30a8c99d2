"""What nodes are made of, whatever the grammar: names, bodies, blocks, and where their code ends.

Pure. The fields of the grammars agree so far that one function reads them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_CONSTANTS = frozenset(
    ("string", "concatenated_string", "integer", "float", "true", "false", "none", "ellipsis")
)
_BLOCKY = frozenset(
    (
        *("block", "decorated_definition", "else_clause", "elif_clause", "except_clause"),
        *("except_group_clause", "finally_clause", "case_clause"),
    )
)
"""Nodes of Python that may end with a comment, or with such a node."""


def stretch(nodes: list[Node]) -> list[tuple[int, int]]:
    """Return the bytes from the first of ``nodes`` to the code of the last; none of no nodes."""
    return [(nodes[0].start_byte, code_end(nodes[-1]))] if nodes else []


def code_end(node: Node) -> int:
    """Return where the code of a node ends: a comment behind its last statement belongs to no stretch,
    though Python's grammar has it in the block before."""
    while node.child_count:
        last = behind = node.child(node.child_count - 1)
        while last is not None and "comment" in last.type:
            last = last.prev_sibling
        if last is None or (last == behind and not _BLOCKY & {node.type, last.type}):
            break
        node = last
    return node.end_byte


def code_in(node: Node) -> list[Node]:
    """Return the named children that are no comments."""
    return [n for n in node.named_children if "comment" not in n.type]


def inside(block: Node | None) -> list[Node]:
    """Return what a block holds; one statement without braces is its own block."""
    if block is None:
        return []
    braces = block.child_count > 0 and block.child(0).type == "{"
    return code_in(block) if braces or block.type == "block" else [block]


def name_of(node: Node) -> Node | None:
    """Return the node of a definition's name; C has it inside of declarators, Rust's ``impl`` a type."""
    for field in ("name", "declarator", "type"):
        name = node.child_by_field_name(field)
        if name is not None:
            break
    else:
        return None
    while (inner := name.child_by_field_name("declarator")) is not None:
        name = inner
    return name


def body_of(node: Node) -> Node | None:
    """Return the body of a definition, of the function it gives a name to, or of the type it names."""
    body = node.child_by_field_name("body")
    for field in ("value", "type"):
        if body is None and (value := node.child_by_field_name(field)) is not None:
            body = value.child_by_field_name("body")
    return body


def is_no_task(node: Node) -> bool:
    """Whether a statement is a bare constant, or an expression with a block, which Rust has."""
    if node.type != "expression_statement" or node.named_child_count != 1:
        return False
    inner = node.named_child(0)
    if inner.type in _CONSTANTS:
        return True
    return any(inner.child_by_field_name(field) for field in ("body", "consequence"))
