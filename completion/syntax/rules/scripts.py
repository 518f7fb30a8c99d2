"""Ruby, the shell, Lua and PHP."""

from __future__ import annotations

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

_HASH = ((b"#{", b"}"),)
_PAIRS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"), (b"<", b">"))


def _percent() -> tuple[Quote, ...]:
    """``%w[…]``, ``%q(…)`` and their like: those in brackets nest, of the rest some are common."""
    found: list[Quote] = []
    for letters, holes in ((rb"[QWIxr]", _HASH), (rb"[qwis]", ())):
        for opens, closes in _PAIRS:
            found.append(
                Quote(
                    opens=rb"%" + letters + b"\\" + opens,
                    closes=closes,
                    lines=True,
                    holes=holes,
                    nests=(opens, closes),
                )
            )
        for mark in (b"|", b"!", b"/"):
            found.append(
                Quote(opens=rb"%" + letters + b"\\" + mark, closes=mark, lines=True, holes=holes)
            )
    return tuple(found)


RUBY = LexRules(
    comment=b"#",
    block_comments=((b"=begin", b"=end"),),
    quotes=(
        *_percent(),
        spanning(b'"', holes=_HASH),
        spanning(b"'"),
        spanning(b"`", holes=_HASH),
    ),
    regex=Quote(opens=b"/", closes=b"/", holes=_HASH, lines=True),
    character=rb"(?<![\w)\]}])\?(?:\\[^\n]|[^\s\\])(?!\w)",
    heredoc=rb"<<(?P<indented>[~-]?)(?:(?P<mark>[\"'`])(?P<quoted>[^\"'`\n]+)[\"'`]|(?P<ends>[A-Z_]\w*+))",
    heredoc_holes=_HASH,
    raw_marks=b"'",
    join=b"\\",
    word=rb"[@$]{0,2}[A-Za-z_0-9\x80-\xff]++(?:[?!](?![=~]))?",
    operators=rb"\.\.\.?|\*\*=?|<=>|===?|=~|!~|=>|->|&\.|::|&&=?|\|\|=?|>>=?|<<=?|[-+*/%&|^<>!]=",
    number_suffix=b"[ri]*+",
    blocks="end",
    ends="line",
    continues=b"+-*/%=&^<>,.([{:?!",
    leads=rb"\.(?!\.)|&\.|&&|\|\|",
    block_words=words("def class module if unless while until for case begin do"),
    loose_words=words("if unless while until"),
    end_words=words("end"),
    middle_words=words("else elsif when in rescue ensure"),
    statement_words=words("def class module return require require_relative end"),
    compound_words=words(
        "def class module if unless while until for case begin else elsif when rescue ensure in do"
    ),
    definition_words=words("def class module"),
    import_words=words("require require_relative load autoload"),
    keywords=words(
        "BEGIN END alias and begin break case class def defined? do else elsif end ensure false for "
        "if in module next nil not or redo rescue retry return self super then true undef unless "
        "until when while yield __FILE__ __LINE__ __method__"
    ),
)

_SUBSTITUTIONS = ((b"$(", b")"), (b"${", b"}"), (b"`", b"`"))

SHELL = LexRules(
    comment=b"#",
    comment_after=b" \t\n;&|()`",
    quotes=(
        Quote(opens=rb"\$'", closes=b"'", lines=True),
        spanning(rb'\$?"', b'"', holes=_SUBSTITUTIONS),
        spanning(b"'", escape=b""),
    ),
    heredoc=rb"(?<!<)<<(?!<)(?P<indented>-?)[ \t]*+"
    rb"(?:(?P<mark>[\"'\\])(?P<quoted>[A-Za-z_0-9.!-]+)[\"']?|(?P<ends>[A-Za-z_]\w*+))",
    heredoc_holes=_SUBSTITUTIONS,
    raw_marks=b"'\"\\",
    join=b"\\",
    word=rb"[A-Za-z_0-9\x80-\xff]++(?:-[A-Za-z_0-9]++)*+",
    operators=rb"\\[^\n]|;;&?|;&|&&|\|\||>>|<<<|[&<>]&|&>|\|&|[=!+]=|=~",
    number_suffix=b"",
    blocks="end",
    ends="line",
    continues=b"|",
    block_words=words("if do case"),
    loose_words=words("if do case fi done esac"),
    leading_words=words("then else do elif"),
    end_words=words("fi done esac"),
    middle_words=words("then elif else"),
    compound_words=words("if elif else then for while until select do case function"),
    definition_words=words("function"),
    import_words=words("source ."),
    keywords=words(
        "if then elif else fi for while until select do done case esac in function time coproc local "
        "declare export readonly typeset unset return exit break continue shift trap source eval exec"
    ),
)


def _level(opened: bytes) -> bytes:
    """``]==]`` of ``[==[``."""
    return opened.lstrip(b"-").replace(b"[", b"]")


LUA = LexRules(
    comment=b"--",
    quotes=(
        Quote(opens=rb"--\[=*+\[", closes=_level, lines=True, escape=b"", scope="comment"),
        Quote(opens=rb"\[=*+\[", closes=_level, lines=True, escape=b""),
        DOUBLE,
        SINGLE,
    ),
    other_comments=(rb"#!",),
    operators=rb"\.\.\.?|::|//|>>|<<|[=~<>]=",
    number_suffix=b"",
    literals="all",
    blocks="end",
    ends="line",
    continues=b"+-*/%=^<>,.([{#~",
    leads=rb"\.\.|[.:,)\]}]|(?:and|or)\b",
    block_words=words("function if do repeat"),
    end_words=words("end until"),
    middle_words=words("else elseif"),
    statement_words=words("local return break goto end"),
    compound_words=words("function local if elseif else for while repeat do"),
    definition_words=words("function local"),
    keywords=words(
        "and break do else elseif end false for function goto if in local nil not or repeat return "
        "then true until while self"
    ),
)

_PHP_HOLES = ((b"{$", b"}"), (b"${", b"}"))

PHP = LexRules(
    comment=SLASHES,
    other_comments=(rb"\#(?!\[)",),
    block_comments=STARS,
    quotes=(
        spanning(b'"', holes=_PHP_HOLES),
        spanning(b"'"),
        spanning(b"`", holes=_PHP_HOLES),
    ),
    heredoc=rb"(?P<indented><<<)[ \t]*+(?:(?P<mark>[\"'])(?P<quoted>\w+)[\"']|(?P<ends>[A-Za-z_]\w*+))",
    heredoc_holes=_PHP_HOLES,
    raw_marks=b"'",
    markup="template",
    word=rb"\$*+[A-Za-z_0-9\x80-\xff]++",
    operators=rb"\.\.\.|\*\*=?|<=>|===?|!==?|<>|=>|->|\?->|::|\?\?=?|&&|\|\||\+\+|--|>>=?|<<=?|[-+*/%&|^.<>]=",
    number_suffix=b"",
    literals="none",
    blocks="brace",
    ends="semicolon",
    middle_words=words("else elseif catch finally case default"),
    statement_words=words("return throw break continue namespace use"),
    compound_words=words(
        "if else elseif for foreach while do switch match case default try catch finally function "
        "class interface trait enum public private protected static abstract final declare namespace"
    ),
    definition_words=words("function class interface trait enum namespace"),
    import_words=words("use require require_once include include_once"),
    keywords=words(
        "abstract and array as break callable case catch class clone const continue declare default "
        "do echo else elseif empty enum exit extends false final finally fn for foreach function "
        "global goto if implements include include_once instanceof insteadof interface isset list "
        "match namespace new null or print private protected public readonly require require_once "
        "return self static switch throw trait true try unset use var while xor yield"
    ),
)
