"""Go, Rust and Swift."""

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

GO = LexRules(
    comment=SLASHES,
    block_comments=STARS,
    quotes=(DOUBLE, SINGLE, spanning(b"`", escape=b"")),
    operators=rb"\.\.\.|:=|<-|&&|\|\||\+\+|--|&\^=?|>>=?|<<=?|[-+*/%&|^=<>!]=",
    number_suffix=b"i?",
    blocks="brace",
    ends="line",
    continues=b"+-*/%=&|^<>!:,.([{",
    middle_words=words("else case default"),
    statement_words=words("return break continue goto defer package import type var const"),
    compound_words=words(
        "func if else for switch select case default type struct interface go defer"
    ),
    definition_words=words("func type"),
    import_words=words("import"),
    keywords=words(
        "break case chan const continue default defer else fallthrough false for func go goto if "
        "import interface iota map nil package range return select struct switch true type var"
    ),
)


def _hashes(opened: bytes) -> bytes:
    """``"##`` of ``r##"`` and of ``##"``."""
    return opened[opened.index(b'"') :] + b"#" * opened.count(b"#")


RUST = LexRules(
    comment=SLASHES,
    other_comments=(rb"#!(?=/)",),
    block_comments=STARS,
    nested_comments=True,
    quotes=(
        Quote(opens=rb'(?:b|c)?r#*+"', closes=_hashes, lines=True, escape=b""),
        spanning(rb'[bc]?"', b'"'),
        Quote(opens=rb"b?'(?=\\)", closes=b"'"),
    ),
    character=rb"b?'(?:[^'\\\n\x80-\xff]|[\xc2-\xf7][\x80-\xbf]{1,3})'|'(?=[A-Za-z_])[A-Za-z_0-9]++",
    word=rb"r#[A-Za-z_0-9]++|[A-Za-z_0-9\x80-\xff]++",
    operators=rb"\.\.[.=]?|=>|->|::|&&|\|\||>>=?|<<=?|[-+*/%&|^=<>!]=",
    number_suffix=b"(?:[iuf](?:8|16|32|64|128|size))?",
    blocks="brace",
    ends="semicolon",
    middle_words=words("else"),
    statement_words=words("let return break continue use mod pub impl struct enum trait"),
    compound_words=words(
        "fn if else for while loop match unsafe impl trait struct enum union mod pub async const "
        "extern macro_rules"
    ),
    definition_words=words("fn impl trait struct enum union mod macro_rules type const static"),
    import_words=words("use"),
    keywords=words(
        "as async await break const continue crate dyn else enum extern false fn for if impl in let "
        "loop macro_rules match mod move mut pub ref return self Self static struct super trait true "
        "type union unsafe use where while yield"
    ),
)

_PARENS = ((b"\\(", b")"),)

SWIFT = LexRules(
    comment=SLASHES,
    other_comments=(rb"#!",),
    block_comments=STARS,
    nested_comments=True,
    quotes=(
        Quote(opens=rb'#++"""', closes=_hashes, lines=True, escape=b""),
        Quote(opens=rb'#++"', closes=_hashes, escape=b""),
        spanning(b'"""', holes=_PARENS),
        one_line(b'"', holes=_PARENS),
        one_line(b"`", escape=b"", scope="code"),
    ),
    operators=rb"\.\.\.|\.\.<|\?\?|->|&&|\|\||===?|!==?|&[-+*]|>>=?|<<=?|[-+*/%&|^<>]=",
    number_suffix=b"",
    literals="none",
    blocks="brace",
    ends="line",
    continues=b"+-*/%=&|^<>:,.([{",
    leads=rb"\.(?!\.)|\?\?|[?:](?!:)|&&|\|\||[=,)\]}]|(?:else|catch|where|as)\b",
    middle_words=words("else catch case default"),
    statement_words=words(
        "return throw break continue import let var func struct class enum protocol"
    ),
    compound_words=words(
        "if else guard for while repeat do catch switch case default func init deinit class struct "
        "enum protocol extension actor get set willSet didSet defer public private internal static "
        "override mutating final open fileprivate"
    ),
    definition_words=words("func class struct enum protocol extension actor typealias"),
    import_words=words("import"),
    keywords=words(
        "actor any as associatedtype async await break case catch class continue convenience default "
        "defer deinit didSet do else enum extension fallthrough false fileprivate final for func get "
        "guard if import in indirect init inout internal is lazy let mutating nil nonisolated "
        "nonmutating open operator override private protocol public repeat required rethrows return "
        "self Self set some static struct subscript super switch throw throws true try typealias "
        "unowned var weak where while willSet"
    ),
)
