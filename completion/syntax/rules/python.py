"""Python, and what is served as plain text."""

from __future__ import annotations

from completion.syntax.rules.record import LexRules, Quote, one_line, words

PYTHON_KEYWORDS = words(
    "False None True and as assert async await break class continue def del elif else except "
    "finally for from global if import in is lambda nonlocal not or pass raise return try "
    "while with yield"
)

_PREFIXES = (
    (b"(?:[fF][rR]?|[rR][fF]|[tT][rR]?|[rR][tT])", True, False),
    (b"(?:[bB][rR]?|[rR][bB])", False, False),
    (b"(?:[rR]|[uU])?", False, True),
)
"""Regular expression of a string's prefix letters, whether braces are code, whether it documents."""


def _quotes() -> tuple[Quote, ...]:
    return tuple(
        Quote(
            opens=prefix + delimiter,
            closes=delimiter,
            lines=len(delimiter) == 3,
            holes=((b"{", b"}"),) if formatted else (),
            plain_holes=(b"{{",) if formatted else (),
            formats=formatted,
            docstring=docstring,
        )
        for prefix, formatted, docstring in _PREFIXES
        for delimiter in (b'"""', b"'''", b'"', b"'")
    )


PYTHON = LexRules(
    comment=b"#",
    quotes=_quotes(),
    join=b"\\",
    blocks="indent",
    ends="line",
    statement_words=words(
        "def class return raise import while with try pass break continue del global nonlocal "
        "assert except finally elif"
    ),
    middle_words=words("elif else except finally case"),
    compound_words=words(
        "def class if elif else for while with try except finally async match case"
    ),
    definition_words=words("def class"),
    import_words=words("import from"),
    keywords=PYTHON_KEYWORDS,
)

PLAIN = LexRules(comment=b"", quotes=(one_line(b'"'), one_line(b"'"), one_line(b"`")))
"""For a language nobody has described: brackets, and quotes that close on their own line."""
