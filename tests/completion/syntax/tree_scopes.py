"""The scope at every byte of a file as tree-sitter's tree of the whole file tells it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from completion.syntax.languages import Language

if TYPE_CHECKING:
    from tree_sitter import Node


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMENTS = _words(
    "comment line_comment block_comment multiline_comment html_comment marginalia js_comment "
    "comment_content shebang hash_bang_line documentation_comment shebang_line"
)
STRINGS = _words(
    "string string_literal raw_string_literal interpreted_string_literal rune_literal "
    "char_literal character_literal template_string regex string_array symbol_array "
    "encapsed_string heredoc multiline_string_literal line_string_literal "
    "multi_line_string_literal line_str_text interpolated_string_expression "
    "verbatim_string_literal raw_string ansi_c_string translated_string "
    "shell_command_expression subshell_string string_value quoted_attribute_value "
    "double_quote_scalar single_quote_scalar quoted_string interpolated_string "
    "interpolated_string_text double_quoted_string single_quoted_string subshell quoted_key "
    "json_string bare_symbol template_literal_type delimited_symbol"
)
HOLES = _words(
    "interpolation template_substitution template_type interpolated_expression "
    "command_substitution expansion simple_expansion arithmetic_expansion "
    "interpolated_identifier string_expansion interpolated_string_section format_expression"
)
_COMMENT_OPENER = re.compile(rb"/\*|//|--(?:\[=*\[)?|<!--|#!/?|#|=begin")
_OPENER = re.compile(
    rb":?[\w@$]{0,4}#*(?:\"{3,}|'{3}|[\"'`])|/|R\"[^(]*\(|%[A-Za-z]?[^\w\s]|\[=*\[|<<[^\n]*\n",
    re.DOTALL,
)
_OPENS_HOLE = re.compile(rb"\$\(\(|\$\{|\$\(|#\{|\\\(|\{+|`")


_HOLE_TOKENS = {"{": "}", "${": "}", "\\(": ")"}


def tree_scopes(language: Language, source: bytes) -> tuple[list[str], set[int]]:
    """Return the scope at each of ``len(source) + 1`` cursors, and cursors inside of an opener.

    What is inside a delimiter that opens a text is no place of its own: the text before it may
    still become something else.
    """
    root = language.parser.parse(source).root_node
    assert not root.has_error, language.name
    scopes = ["code"] * (len(source) + 1)
    unsure: set[int] = set()
    todo: list[Node] = [root]
    order: list[Node] = []
    while todo:
        node = todo.pop()
        order.append(node)
        todo += reversed(node.children)
    for node in order:
        start, end = node.start_byte, node.end_byte
        text = source[start:end]
        if not node.is_named or not text:
            continue
        if node.type in COMMENTS:
            line = not text.startswith((b"/*", b"<!--", b"=begin", b"--["))
            stop = start + len(text.rstrip(b"\r\n")) if line else end - 1
            _paint(scopes, unsure, start, _opened(_COMMENT_OPENER, text, start), stop, "comment")
        elif node.type == "literal" and text.startswith(b"'"):  # of SQL
            _paint(scopes, unsure, start, start + 1, end - 1, "string")
        elif node.type == "regex" and language.name == "shell":
            continue  # a glob of an expansion
        elif node.type in STRINGS:
            stop = end - 1
            if node.type == "regex" and text.startswith(b"/"):
                stop = start + max(text.rfind(b"/"), 0)  # flags follow
            _paint(scopes, unsure, start, _opened(_OPENER, text, start), stop, "string")
            if node.type in ("char_literal", "character_literal") and language.name in (
                "rust",
                "scala",
            ):
                unsure.update(range(start, end))  # it may be a lifetime, until it is closed
            for child in node.children:
                if child.type in _HOLE_TOKENS:  # the hole is no node of its own
                    _hole(scopes, unsure, child)
        elif node.type in ("heredoc_body", "nowdoc_body"):
            # blanks at the start of its first line, and before the word that ends it
            unsure.update(range(source.rfind(b"\n", 0, start) + 1, start + 1))
            unsure.update(range(end, end + len(source[end:]) - len(source[end:].lstrip()) + 1))
            _paint(scopes, unsure, start, start + text.startswith(b"\n"), end, "string")
            for child in node.children:
                if child.type in _HOLE_TOKENS:
                    _hole(scopes, unsure, child)
        elif node.type in (
            "heredoc_beginning", "heredoc_start", "heredoc_end", "attribute_list",
            "dynamic_variable_name", "operator_name",
        ):  # fmt: skip
            unsure.update(
                range(start, end + 1)
            )  # its quote, or its `#`, may still be something else
        elif node.type == "format_specifier":
            _paint(scopes, unsure, start, start + 1, end, "string")
        elif node.type == "block_scalar":
            first = start + text.index(b"\n") + 1
            unsure.update(range(start + 1, first))
            _paint(scopes, unsure, first, first, end, "string")
            # the blank lines behind it may still go on with it
            stop = len(source) - len(source[end:].lstrip())
            unsure.update(range(end, stop + 1))
        elif node.type in ("preproc_arg", "shell_fragment"):
            unsure.update(range(start, end + 1))  # a macro's body is not parsed
        elif node.type in ("escape_interpolation", "escape_sequence"):
            unsure.update(range(start + 1, end))
        elif node.type in HOLES and scopes[start] == "string":
            found = _OPENS_HOLE.match(text)
            if found is None:
                continue  # a name alone, as in "$name", stays a part of the text
            opened = start + found.end()
            unsure.update(range(start + 1, opened))
            for at in range(opened, end):
                scopes[at] = "code"
    for at in range(1, len(source)):
        # half of a pair that stands for one: `""`, `{{`
        if source[at - 1] == source[at] and source[at] in b"\"'{}" and scopes[at] == "string":
            unsure.add(at)
    return scopes, unsure


def _hole(scopes: list[str], unsure: set[int], opener: Node) -> None:
    closer = opener.next_sibling
    while closer is not None and closer.type != _HOLE_TOKENS[opener.type]:
        closer = closer.next_sibling
    if closer is not None:
        unsure.update(range(opener.start_byte + 1, opener.end_byte))
        if opener.type == "{":
            unsure.add(opener.end_byte)  # of PHP: it is one with the `$` behind it
        for at in range(opener.end_byte, closer.end_byte):
            scopes[at] = "code"


def _opened(opener: re.Pattern[bytes], text: bytes, start: int) -> int:
    found = opener.match(text)
    return start + (found.end() if found else 0)


def _paint(
    scopes: list[str], unsure: set[int], start: int, opened: int, stop: int, scope: str
) -> None:
    unsure.update(range(start + 1, opened))
    for at in range(opened, stop + 1):
        scopes[at] = scope
