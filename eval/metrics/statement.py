"""CrossCodeEval's protocol: one statement of the completion, without comments, line by line.

The rules of the published scripts, quirks and all (Ding et al. 2023, section 3.3), so that
figures can stand beside published ones. What seems odd here is odd there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from completion.syntax.languages import language_for

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

MOST_LINES = 48
"""Of a Python answer at whose ends the statement is looked for; the published scripts' answers have
50 tokens, so theirs are fewer. Each costs a parse."""
MOST_BYTES = 1 << 14
"""Of a Python answer in which the statement is looked for."""
_END = re.compile(r"[;{}]")
_COMMENT = re.compile(r"(?:#|//).*")


def truncate_statement(text: str, language: str, prefix: str = "") -> str:
    """Return the first statement of a completion, as CrossCodeEval cuts it.

    Python: up to the first line end at which ``prefix`` and the text so far parse without an
    error node (tree-sitter; a token that the parser only misses is none), trailing blanks removed;
    the whole text if there is no such place among the first :data:`MOST_LINES` line ends and
    :data:`MOST_BYTES`. ``prefix`` must start where the file does.

    Other languages: up to and with the first of ``;``, ``{`` and ``}``, wherever it stands, in a
    string or a comment too; the whole text if there is none, or if it is the first character.
    """
    if language == "python":
        return _python_statement(text, prefix)
    end = _END.search(text)
    return text[: end.end()] if end and end.start() else text


def without_comments(text: str) -> str:
    """Return ``text`` with every line cut at its first ``#`` or ``//``, strings or not."""
    return _COMMENT.sub("", text)


def lines_match(completion: str, reference: str) -> float:
    """Return 1 if the two have the same lines, comments, blank lines and outer blanks aside."""
    return float(_lines(completion) == _lines(reference))


def _lines(text: str) -> list[str]:
    stripped = (line.strip() for line in without_comments(text).split("\n"))
    return [line for line in stripped if line]


def _python_statement(text: str, prefix: str) -> str:
    language = language_for("python", "")
    assert language is not None
    parser = language.parser
    before = prefix.encode("utf-8", "surrogateescape")
    tree = parser.parse(before)
    end = text.find("\n", 1)  # one at the very start ends no statement
    for _ in range(MOST_LINES):
        if not 0 <= end < MOST_BYTES:
            break
        code = (prefix + text[:end]).encode("utf-8", "surrogateescape")
        _grow(tree, before, code)  # a long file is not parsed anew for each line
        tree, before = parser.parse(code, tree), code
        if not _has_error_node(tree.root_node):
            return text[:end].rstrip()
        end = text.find("\n", end + 1)
    return text


def _grow(tree: Tree, before: bytes, after: bytes) -> None:
    """Tell ``tree``, which is of ``before``, that text was added at its end."""
    old, new = _point(before), _point(after)
    tree.edit(len(before), len(before), len(after), old, old, new)


def _point(code: bytes) -> tuple[int, int]:
    return code.count(b"\n"), len(code) - code.rfind(b"\n") - 1


def _has_error_node(root: Node) -> bool:
    """Tell whether an ERROR node is there; ``has_error`` alone would count missing tokens too."""
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type == "ERROR":
            return True
        todo += [child for child in node.children if child.has_error]
    return False
