"""CodeXGLUE's tokens as text, and back: what a model is shown, and the token that it answers with.

The data set is what Python's ``tokenize`` finds, with a blank between any two tokens, lines ended
by ``<EOL>``, indentation and comments lost, and rare literals replaced by marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from eval.metrics.codexglue import plain_literals

_SPELLED = {"U+0020": " ", "U+002C": ","}
"""Characters that the data set writes out inside string literals."""
_ENDS = ("<s>", "</s>", "<pad>")


def text_of(tokens: Sequence[str]) -> str:
    """Return tokens of the data set as the text a model is shown.

    One blank between tokens of a line, ``<EOL>`` as a line end without blanks around it, literals
    plain, the marks of beginning and end left out.
    """
    return "".join(pieces_of(tokens))


def pieces_of(tokens: Sequence[str]) -> Iterator[str]:
    """Yield what each token adds to the text, the blank before it included."""
    gap = ""
    for token in tokens:
        if token == "<EOL>":  # noqa: S105 - of a text
            gap = ""
            yield "\n"
        elif token in _ENDS:
            yield ""
        else:
            yield gap + plain_token(token)
            gap = " "


def plain_token(token: str) -> str:
    """Return a token with its literal as it is written, ``0`` or nothing where that is lost."""
    if "_LIT" not in token:  # nearly all: a set has tens of millions
        return token
    token = plain_literals(token)
    for spelled, character in _SPELLED.items():
        token = token.replace(spelled, character)
    return token


_OPERATORS = (
    "**=", "//=", ">>=", "<<=", "...", "==", "!=", "<>", "<=", ">=", "->", ":=", "+=", "-=", "*=",
    "/=", "%=", "&=", "|=", "^=", "@=", "**", "//", ">>", "<<",
)  # fmt: skip
_TOKEN = re.compile(
    r"(?:[rRbBuUfF]{0,2}(?:'''[\s\S]*?'''|\"\"\"[\s\S]*?\"\"\""
    r"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"))"  # a string
    r"|0[xXoObB][0-9a-fA-F_]+[lL]?"
    r"|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJlL]?"  # a number
    r"|\w+"  # a name or a keyword
    + "".join("|" + re.escape(operator) for operator in _OPERATORS)
    + r"|\S"
)


def first_token(text: str) -> str:
    """Return the first Python token of ``text``, the longest that it can be.

    Blanks before it are passed over, a line end is not: where the text begins with one, what it
    says is the end of the line, and there is no token: empty.
    """
    found = _TOKEN.match(text.lstrip(" \t\f"))
    return found.group() if found else ""
