"""C, C++ and C#."""

from __future__ import annotations

from dataclasses import replace

from completion.syntax.rules.record import DOUBLE, SINGLE, SLASHES, STARS, LexRules, Quote, words

_PREFIX = rb"(?:u8|[uUL])?"
_OPERATORS = rb"\.\.\.|<=>|->\*?|::|&&|\|\||\+\+|--|>>=|<<=?|[-+*/%&|^=<>!]="

C = LexRules(
    comment=SLASHES,
    block_comments=STARS,
    quotes=(replace(DOUBLE, opens=_PREFIX + b'"'), replace(SINGLE, opens=_PREFIX + b"'")),
    directives=rb"[ \t]*+#",
    join=b"\\",
    operators=_OPERATORS,
    number_suffix=b"[uUlLfFzZ]*+",
    blocks="brace",
    ends="semicolon",
    middle_words=words("else case default"),
    statement_words=words("return break continue goto typedef case default"),
    compound_words=words("if else for while do switch case default struct union enum extern"),
    definition_words=words("struct union enum typedef"),
    import_words=words("#include"),
    keywords=words(
        "auto bool break case char const constexpr continue default do double else enum extern false "
        "float for goto if inline int long nullptr register restrict return short signed sizeof "
        "static static_assert struct switch thread_local true typedef typeof union unsigned void "
        "volatile while _Alignas _Alignof _Atomic _Bool _Generic _Noreturn _Static_assert NULL"
    ),
)


def _raw_end(opened: bytes) -> bytes:
    """``)tag"`` of ``R"tag(``."""
    return b")" + opened[opened.index(b'"') + 1 : -1] + b'"'


CPP = replace(
    C,
    quotes=(
        Quote(opens=_PREFIX + rb'R"[^()\\\s"]{0,16}\(', closes=_raw_end, lines=True, escape=b""),
        *C.quotes,
    ),
    middle_words=C.middle_words | words("catch public private protected"),
    statement_words=C.statement_words | words("throw using namespace template"),
    compound_words=C.compound_words | words("class namespace try catch template"),
    definition_words=C.definition_words | words("class namespace template concept"),
    import_words=C.import_words | words("using import"),
    keywords=C.keywords
    | words(
        "and alignas alignof bitand bitor catch char8_t char16_t char32_t class co_await co_return "
        "co_yield compl concept consteval constinit const_cast decltype delete dynamic_cast explicit "
        "export final friend import module mutable namespace new noexcept not not_eq operator or "
        "or_eq override private protected public reinterpret_cast requires static_cast template "
        "this throw try typeid typename using virtual wchar_t xor xor_eq"
    ),
)

_BRACES = ((b"{", b"}"),)


def _quotes_at_end(opened: bytes) -> bytes:
    """``\"\"\"`` of ``$\"\"\"``, with as many quotes."""
    return opened.lstrip(b"$")


CSHARP = LexRules(
    comment=SLASHES,
    block_comments=STARS,
    quotes=(
        Quote(opens=rb'\$"{3,}', closes=_quotes_at_end, lines=True, escape=b"", holes=_BRACES),
        Quote(
            opens=rb'\$\$"{3,}',
            closes=_quotes_at_end,
            lines=True,
            escape=b"",
            holes=((b"{{", b"}}"),),
        ),
        Quote(opens=rb'\$*+"{3,}', closes=_quotes_at_end, lines=True, escape=b""),
        Quote(
            opens=rb'(?:\$@|@\$)"',
            closes=b'"',
            lines=True,
            escape=b"",
            doubled=True,
            holes=_BRACES,
            plain_holes=(b"{{",),
        ),
        Quote(opens=rb'@"', closes=b'"', lines=True, escape=b"", doubled=True),
        Quote(opens=rb'\$"', closes=b'"', holes=_BRACES, plain_holes=(b"{{",)),
        DOUBLE,
        SINGLE,
    ),
    directives=rb"[ \t]*+#",
    word=rb"@?[A-Za-z_0-9\x80-\xff]++",
    operators=rb"\?\?=?|\?\.|=>|\.\.|::|->|&&|\|\||\+\+|--|>>>?=|<<=?|[-+*/%&|^=<>!]=",
    number_suffix=b"[uUlLfFdDmM]*+",
    blocks="brace",
    ends="semicolon",
    middle_words=words("else catch finally case default when"),
    statement_words=words("return throw break continue goto namespace public private protected"),
    compound_words=words(
        "if else for foreach while do switch case default try catch finally using lock fixed checked "
        "unchecked unsafe namespace class struct interface enum record public private protected "
        "internal static abstract sealed get set add remove"
    ),
    definition_words=words("class struct interface enum record namespace delegate"),
    import_words=words("using"),
    keywords=words(
        "abstract as async await base bool break byte case catch char checked class const continue "
        "decimal default delegate do double else enum event explicit extern false finally fixed float "
        "for foreach get global goto if implicit in init int interface internal is lock long nameof "
        "namespace new not null object operator or out override params partial private protected "
        "public readonly record ref required return sbyte sealed set short sizeof stackalloc static "
        "string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using var "
        "virtual void volatile when where while with yield"
    ),
)
