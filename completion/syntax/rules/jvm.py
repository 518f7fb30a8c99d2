"""Java, Kotlin and Scala."""

from __future__ import annotations

from completion.syntax.rules.record import (
    DOUBLE,
    SINGLE,
    SLASHES,
    STARS,
    LexRules,
    Quote,
    one_line,
    spanning,
    words,
)

JAVA = LexRules(
    comment=SLASHES,
    block_comments=STARS,
    quotes=(spanning(b'"""'), DOUBLE, SINGLE),
    word=rb"[A-Za-z_0-9$\x80-\xff]++",
    operators=rb"\.\.\.|->|::|&&|\|\||\+\+|--|>>>?=|<<=?|[-+*/%&|^=<>!]=",
    number_suffix=b"[lLfFdD]?",
    blocks="brace",
    ends="semicolon",
    middle_words=words("else catch finally case default"),
    statement_words=words(
        "return throw break continue import package public private protected class interface"
    ),
    compound_words=words(
        "if else for while do switch case default try catch finally synchronized class interface enum "
        "record public private protected static abstract final"
    ),
    definition_words=words("class interface enum record"),
    import_words=words("import"),
    keywords=words(
        "abstract assert boolean break byte case catch char class const continue default do double "
        "else enum extends false final finally float for goto if implements import instanceof int "
        "interface long native new null package permits private protected public record return sealed "
        "short static strictfp super switch synchronized this throw throws transient true try var "
        "void volatile while yield"
    ),
)

_DOLLAR = ((b"${", b"}"),)

KOTLIN = LexRules(
    comment=SLASHES,
    other_comments=(rb"#!",),
    block_comments=STARS,
    nested_comments=True,
    quotes=(
        spanning(b'"""', escape=b"", holes=_DOLLAR),
        one_line(b'"', holes=_DOLLAR),
        SINGLE,
        one_line(b"`", escape=b"", scope="code"),
    ),
    operators=rb"\.\.<?|\?\.|\?:|!!|->|::|&&|\|\||\+\+|--|===?|!==?|[-+*/%<>]=",
    number_suffix=b"[uUlLfF]*+",
    literals="none",
    blocks="brace",
    ends="line",
    continues=b"+-*/%=&|<>:,.([{?",
    leads=rb"\.(?!\.)|\?\.|\?:|&&|\|\||[=:,)\]}]|(?:as|else|catch|finally|where|by)\b",
    middle_words=words("else catch finally"),
    statement_words=words("return throw break continue import package fun class interface"),
    compound_words=words(
        "if else for while do when try catch finally fun class object interface enum data sealed "
        "abstract open override private public internal protected companion init get set inline suspend"
    ),
    definition_words=words("fun class object interface typealias"),
    import_words=words("import"),
    keywords=words(
        "abstract actual annotation as break by catch class companion const constructor continue "
        "crossinline data do else enum expect external false final finally for fun get if import in "
        "infix init inline inner interface internal is it lateinit noinline null object open operator "
        "out override package private protected public reified return sealed set super suspend "
        "tailrec this throw true try typealias val value var vararg when where while"
    ),
)

SCALA = LexRules(
    comment=SLASHES,
    block_comments=STARS,
    nested_comments=True,
    quotes=(
        spanning(rb'[A-Za-z_][A-Za-z0-9_]*+"""', b'"""', escape=b"", holes=_DOLLAR),
        spanning(b'"""', escape=b""),
        Quote(opens=rb'[A-Za-z_][A-Za-z0-9_]*+"', closes=b'"', holes=_DOLLAR, escape=b"\\"),
        DOUBLE,
        one_line(b"`", escape=b"", scope="code"),
    ),
    character=rb"'(?:[^'\\\n]|\\(?:u+[0-9A-Fa-f]{4}|[^\n]))'",
    word=rb"[A-Za-z_0-9$\x80-\xff]++",
    operators=rb"=>|<-|->|::|:::|&&|\|\||\+\+|--|>>>?|<<|[-+*/%&|^=<>!]=|\?=>|=>>|<:|>:",
    number_suffix=b"[lLfFdD]?",
    literals="none",
    blocks="brace",
    ends="line",
    continues=b"+-*/%=&|<>:,.([{?",
    leads=rb"\.(?!\.)|&&|\|\||[=:,)\]}]|(?:else|catch|finally|extends|with|yield|match)\b",
    middle_words=words("else catch finally case"),
    statement_words=words("return throw import package def class object trait"),
    compound_words=words(
        "if else for while do match try catch finally case def class object trait enum given "
        "extension abstract sealed final private protected override implicit lazy package"
    ),
    definition_words=words("def class object trait enum given type"),
    import_words=words("import"),
    keywords=words(
        "abstract as case catch class def derives do else end enum export extends extension false "
        "final finally for given if implicit import inline infix lazy match new null object opaque "
        "open override package private protected return sealed super then this throw trait true try "
        "type using val var while with yield"
    ),
)
