"""Types of tokens, on the fly: what each stretch of source is, without a parse.

After PyCoder (arXiv 2211.04673, section 3.2), which takes them from Python's tokenizer; here they
come from the lexer, so that broken code has types too. One table serves all languages.
"""

from __future__ import annotations

from completion.syntax.languages import Language, rules_of
from completion.syntax.lexer import Lexer
from completion.syntax.rules import PYTHON

_OPERATORS = (
    b"( ) [ ] { } , : . ; @ = -> + - * / // % & | ^ ~ << >> ** < > <= >= == != := += -= *= /= //= "
    b"%= &= |= ^= <<= >>= **= @= ..."
).split()

_OTHER_OPERATORS = (
    b"? ! :: => && || ++ -- === !== <=> ?. ?? .. <- $ # ` \\ >>> >>>= &&= ||= ??= ?: !! ..= ..< =~ ;; "
    b".= ?-> &. <<< &^"
).split()
"""Of other languages than Python."""

TYPES: tuple[str, ...] = (
    "NONE",
    "NAME",
    "KEYWORD",
    "NUMBER",
    "STRING",
    "COMMENT",
    "EOL",
    "INDENT",
    "DEDENT",
    "OTHER",
    *(operator.decode() for operator in _OPERATORS),
    "VARIABLE",
    "FUNCTION",
    "ATTRIBUTE",
    "MODULE",
    "CLASS",
    "PARAMETER",
    *(operator.decode() for operator in _OTHER_OPERATORS),
)
"""Every type; an index here is the class a model is trained on, so entries are only appended.
NONE is for bytes that no span covers (blanks), OTHER for what is no token of the language. The six
behind Python's operators are what a NAME is called more exactly (CodeFill, ICSE 2022) by whoever
has a parse; the lexer says NAME."""

TYPE_IDS: dict[str, int] = {name: index for index, name in enumerate(TYPES)}
_OPERATOR_IDS = {
    operator: TYPE_IDS[operator.decode()] for operator in (*_OPERATORS, *_OTHER_OPERATORS)
}
_NOT_PYTHON = frozenset(_OTHER_OPERATORS)
_OTHER, _STRING, _COMMENT = TYPE_IDS["OTHER"], TYPE_IDS["STRING"], TYPE_IDS["COMMENT"]

Span = tuple[int, int, int]
"""Byte offsets and the index in :data:`TYPES`."""


def token_types(language: Language | None, source: bytes) -> list[Span]:
    """Return the typed spans of ``source`` as ``(start, end, type)`` in order, none overlapping.

    Offsets are bytes. INDENT covers the leading blanks of its line, DEDENT is empty and stands
    before the first token behind it, once for each level left. EOL is every line end outside of
    strings. Text of an f-string is STRING and what its braces hold is typed as code.
    """
    rules = rules_of(language)
    lexer = Lexer(rules)
    spans: list[Span] = []
    levels = [0]
    python = rules is PYTHON
    for start, end, kind in lexer.pieces(source):
        if kind == "statement":
            if rules.indented_blocks:
                _indentation(source, start, levels, spans)
        elif kind == "word":
            word = source[start:end]
            word = word.lower() if rules.ignores_case else word
            name = "KEYWORD" if word in rules.keywords else "NAME"
            spans.append((start, end, TYPE_IDS[name]))
        elif kind in ("operator", "open", "close"):
            sign = source[start:end]
            known = _OPERATOR_IDS.get(sign, _OTHER)
            spans.append((start, end, _OTHER if python and sign in _NOT_PYTHON else known))
        elif kind == "quote":
            spans.append((start, end, _STRING))
        elif kind == "string" and spans and spans[-1][1:] == (start, _STRING):
            spans[-1] = (spans[-1][0], end, _STRING)
        elif kind == "comment" and spans and spans[-1][1:] == (start, _COMMENT):
            spans[-1] = (spans[-1][0], end, _COMMENT)
        elif kind in ("join", "text"):
            spans.append((start, end, _OTHER))
        else:
            spans.append((start, end, TYPE_IDS[kind.upper()]))
    return spans


def _indentation(source: bytes, start: int, levels: list[int], spans: list[Span]) -> None:
    line = source.rfind(b"\n", 0, start) + 1
    blanks = source[line:start]
    if blanks.strip():
        return  # behind a semicolon or a bracket that was left open
    width = len(blanks.expandtabs(8))
    if width > levels[-1]:
        levels.append(width)
        spans.append((line, start, TYPE_IDS["INDENT"]))
    while width < levels[-1]:
        levels.pop()
        spans.append((start, start, TYPE_IDS["DEDENT"]))
