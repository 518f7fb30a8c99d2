"""What the lexer has to know of a language: one record a language, and the patterns made of it.

It knows nothing of cursors, blocks or completions.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LexRules:
    """The lexical rules of one language, as far as brackets, strings and blocks depend on them."""

    comment: bytes
    """What opens a line comment; empty: the language has none that is known."""
    quotes: tuple[bytes, ...]
    """String delimiters, longest first; those of more than one byte span lines."""
    string_prefixes: frozenset[bytes] = frozenset()
    """Letters that may stand before a quote, in lower case."""
    statement_words: frozenset[bytes] = frozenset()
    """Words that never begin a line inside brackets: seeing one there means a bracket was not
    closed, and the lexer goes on outside of it."""
    compound_words: frozenset[bytes] = frozenset()
    """First words of statements that open a block with a colon at the end of their line."""
    definition_words: frozenset[bytes] = frozenset()
    """The compound statements whose body may begin with a docstring."""
    keywords: frozenset[bytes] = frozenset()
    indented_blocks: bool = False
    """Blocks are made by indentation alone."""
    join: bytes = b""
    """What at the end of a line joins the next one to it."""


PYTHON_KEYWORDS = frozenset(
    b"False None True and as assert async await break class continue def del elif else except "
    b"finally for from global if import in is lambda nonlocal not or pass raise return try "
    b"while with yield".split()
)

PYTHON = LexRules(
    comment=b"#",
    quotes=(b'"""', b"'''", b'"', b"'"),
    string_prefixes=frozenset(b"r u b f t br rb fr rf tr rt".split()),
    statement_words=frozenset(
        b"def class return raise import while with try pass break continue del global nonlocal "
        b"assert except finally elif".split()
    ),
    compound_words=frozenset(
        b"def class if elif else for while with try except finally async match case".split()
    ),
    definition_words=frozenset((b"def", b"class")),
    keywords=PYTHON_KEYWORDS,
    indented_blocks=True,
    join=b"\\",
)

PLAIN = LexRules(comment=b"", quotes=(b'"', b"'", b"`"))
"""For a language nobody has described: brackets, and quotes that close on their own line."""

BRACKETS: dict[bytes, bytes] = {b"(": b")", b"[": b"]", b"{": b"}"}
"""Each opening bracket with its closing one."""

_WORD = rb"[A-Za-z_0-9\x80-\xff]"


@functools.cache
def token_pattern(rules: LexRules) -> re.Pattern[bytes]:
    """Return the pattern that matches one token of code; its group names are token kinds."""
    quotes = b"|".join(re.escape(quote) for quote in rules.quotes)
    parts = [rb"(?P<eol>\r*\n)", rb"(?P<blank>[ \t\f]++|\r++)"]
    if rules.comment:
        parts.append(
            rb"(?P<comment>" + re.escape(rules.comment) + rb"[^\r\n]*+(?:\r++(?!\n)[^\r\n]*+)*+)"
        )
    if rules.join:
        parts.append(rb"(?P<join>" + re.escape(rules.join) + rb"\r*\n)")
    prefixes = b"|".join(sorted(rules.string_prefixes, key=len, reverse=True))
    if prefixes:
        parts.append(rb"(?P<quote>(?:(?i:" + prefixes + rb"))?(?:" + quotes + rb"))")
    else:
        parts.append(rb"(?P<quote>" + quotes + rb")")
    parts += [
        rb"(?P<number>0[xX][0-9A-Fa-f_]+|0[bB][01_]+|0[oO][0-7_]+"
        rb"|(?:[0-9][0-9_]*+(?:\.[0-9_]*+)?|\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9_]++)?[jJ]?)",
        rb"(?P<word>" + _WORD + rb"++)",
        rb"(?P<open>[(\[{])",
        rb"(?P<close>[)\]}])",
        rb"(?P<operator>\.\.\.|\*\*=?|//=?|>>=?|<<=?|->|:=|[-+*/%&|^@=<>!]=|.)",
    ]
    return re.compile(b"|".join(parts), re.DOTALL)


@functools.cache
def plain_lines_pattern(rules: LexRules) -> re.Pattern[bytes] | None:
    """Return a pattern that swallows whole lines in which nothing stays open, or ``None``.

    A quick way over long prefixes: such a line starts and ends outside of brackets and strings,
    so only the last ones have to be read token by token. Brackets nested more than twice and
    everything that spans lines are left to the lexer.
    """
    line = _plain_run(rules)
    return re.compile(rb"(?:" + line + rb"(?:#[^\n]*+)?\n)++") if line else None


@functools.cache
def plain_run_pattern(rules: LexRules) -> re.Pattern[bytes] | None:
    """Return a pattern for a stretch inside one line that leaves nothing open, or ``None``."""
    line = _plain_run(rules)
    return re.compile(line) if line else None


def _plain_run(rules: LexRules) -> bytes:
    if rules.comment != b"#":
        return b""
    # Braces count in f-strings only; a pair with nothing in it that could nest is fine in both.
    body = rb"(?:[^%s\\\n{]++|\\[^\r\n]|\{\{|\{[^\"'#\\\n{}]*+\})*+"
    double = rb'"' + body % b'"' + rb'"(?!")'
    single = rb"'" + body % b"'" + rb"'(?!')"
    docstring = rb'"""[^"\\\n{]*+"""(?!")'
    strings = docstring + rb"|" + double + rb"|" + single
    free = rb"[^()\[\]{}'\"#\\\n]++"
    inner = rb"(?:" + free + rb"|" + strings + rb")*+"
    nested = rb"(?:\(" + inner + rb"\)|\[" + inner + rb"\]|\{" + inner + rb"\})"
    outer = rb"(?:" + free + rb"|" + strings + rb"|" + nested + rb")*+"
    atom = rb"\(" + outer + rb"\)|\[" + outer + rb"\]|\{" + outer + rb"\}"
    return rb"(?:" + free + rb"|" + strings + rb"|" + atom + rb")*+"
