"""JavaScript and TypeScript, with and without elements."""

from __future__ import annotations

from dataclasses import replace

from completion.syntax.rules.record import (
    DOUBLE,
    SINGLE,
    SLASHES,
    STARS,
    LexRules,
    Quote,
    spanning,
    words,
)

JAVASCRIPT_OPERATORS = (
    rb">>>=?|\.\.\.|\*\*=?|===?|!==?|=>|\?\?=?|\?\.|&&=?|\|\|=?|>>=?|<<=?|\+\+|--|[-+*/%&|^<>]="
)
CONTINUES = b"+-*/%=&|^<>?:,.!~([{"

JAVASCRIPT = LexRules(
    comment=SLASHES,
    other_comments=(rb"#!",),
    block_comments=STARS,
    quotes=(DOUBLE, SINGLE, spanning(b"`", holes=((b"${", b"}"),))),
    regex=Quote(opens=b"/", closes=b"/"),
    markup="elements",
    word=rb"[A-Za-z_0-9$\x80-\xff]++",
    operators=JAVASCRIPT_OPERATORS,
    number_suffix=b"n?",
    blocks="brace",
    ends="both",
    continues=CONTINUES,
    leads=rb"\.(?!\.)|\?\.|[?:](?!:)|[&|*%=<>,)\]}]|\+(?!\+)|-(?!-)|(?:in|of|instanceof|as)\b",
    middle_words=words("else catch finally case default"),
    statement_words=words("return throw break continue import export const let var"),
    compound_words=words(
        "function class if else for while do try catch finally switch case default with async export"
    ),
    definition_words=words("function class"),
    import_words=words("import"),
    keywords=words(
        "async await break case catch class const continue debugger default delete do else export "
        "extends false finally for from function get if import in instanceof let new null of return "
        "set static super switch this throw true try typeof undefined var void while with yield"
    ),
)

TYPESCRIPT = replace(
    JAVASCRIPT,
    markup="",
    compound_words=JAVASCRIPT.compound_words
    | words("interface enum namespace module declare abstract public private protected static"),
    definition_words=JAVASCRIPT.definition_words | words("interface enum type namespace"),
    keywords=JAVASCRIPT.keywords
    | words(
        "abstract any as asserts bigint boolean declare enum implements infer interface is keyof "
        "module namespace never number object override private protected public readonly satisfies "
        "string symbol type unique unknown"
    ),
)

TSX = replace(TYPESCRIPT, markup="elements")
