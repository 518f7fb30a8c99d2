"""Scopes in the languages beside Python: what each has of its own, and how it recovers."""

from __future__ import annotations

import pytest

from completion.syntax.languages import language_for
from completion.syntax.lexer import Lexer
from completion.syntax.scopes import scope_at


def at(language: str, document: str) -> str:
    before, _, after = document.partition("^")
    return scope_at(language_for(language, ""), (before + after).encode(), len(before.encode()))


@pytest.mark.parametrize(
    ("language", "document", "scope"),
    [
        ("javascript", "x = a / b / c ^", "code"),
        ("javascript", "x = /a'b^", "string"),
        ("javascript", "return /[/]'^", "string"),
        ("javascript", "x = y++ / 2 // '^", "comment"),
        ("javascript", "x = {}.a / 'b^", "string"),
        ("javascript", "`a${`b${c^", "code"),
        ("javascript", "`a${`b${c}^", "string"),
        ("javascript", "x = 'open\ny = ^", "code"),
        ("javascript", "/** @type {string} ^", "comment"),
        ("javascript", "return <p>it's ^", "code"),
        ("javascript", "return <p a='b^", "string"),
        ("javascript", "if (a <b) { x = 'c^", "string"),
        ("javascript", "return <p>it's\nfunction f() { 'a^", "string"),  # the element is lost
        ("typescript", "let x = <T>'a^", "string"),
        ("tsx", "const f = <T,>(x: T) => 'a^", "string"),
        ("tsx", "a < b; c = 'd^", "string"),
        ("go", "x := `a\nb^", "string"),
        ("go", "x := 'a'\n// b^", "comment"),
        ("rust", "fn f<'a>(x: &'a str) { ^", "code"),
        ("rust", 'r#"a" b^', "string"),
        ("rust", "/* a /* b */ c^", "comment"),
        ("rust", "/// doc^", "comment"),
        ("rust", "//! doc^", "comment"),
        ("java", '"""\n a "b" ^', "string"),
        ("c", "#define A 'x' /* ^", "comment"),
        ("c", "#error don't\n^", "code"),
        ("c", "#if 1\nif (a) {\n#else\nif (b) {\n#endif\n}\n^", "code"),
        ("cpp", 'R"x(a)" )y" ^', "string"),
        ("cpp", "1'000'000 + ^", "code"),
        ("csharp", '$"a {b + "c^', "string"),
        ("csharp", '@"a\\" + ^', "code"),
        ("csharp", "/// <summary>^", "comment"),
        ("ruby", '"a #{b + "c^', "string"),
        ("ruby", "x = <<~A\n  it's ^\n", "string"),
        ("ruby", "x = <<~A\n  it's\nA\n^", "code"),
        ("ruby", "f(<<~A, <<~B)\na\nA\nb^", "string"),
        ("ruby", "x = y / z # '^", "comment"),
        ("ruby", "puts /a'^", "string"),
        ("ruby", "=begin\nit's^", "comment"),
        ("ruby", "%w[a [b] ^", "string"),
        ("shellscript", "echo a#b 'c^", "string"),
        ("shellscript", "echo $# # it's^", "comment"),
        ("shellscript", "echo \"$(cat 'a^", "string"),
        ("shellscript", 'echo "$(cat a^', "code"),
        ("shellscript", "cat <<'E'\n$(a^", "string"),
        ("shellscript", "cat <<E\n$(a^", "code"),
        ("shellscript", "x=$((1<<2)); ^", "code"),
        ("kotlin", '"a ${b("c")} ^', "string"),
        ("kotlin", "/* /* */ ^", "comment"),
        ("swift", '"a \\(b("c")) ^', "string"),
        ("swift", '"a \\(b^', "code"),
        ("scala", "'a' + \"b^", "string"),
        ("lua", "--[==[ a ]] ^", "comment"),
        ("lua", "x = [[a\n'^", "string"),
        ("php", "it's <?php 'a^", "string"),
        ("php", "<?php // a ?> it's ^", "code"),
        ("php", "<?php $x = <<<A\n it's {$b^", "code"),
        ("sql", "select 'it''s^", "string"),
        ("sql", "-- it's^", "comment"),
        ("html", "<!-- it's^", "comment"),
        ("html", "<p>it's <a b='c^", "string"),
        ("css", "a { b: 'c\n} /* ^", "comment"),
        ("yaml", 'a: it\'s "b" ^', "code"),
        ("yaml", "a: 'it''s^", "string"),
        ("yaml", "a: |\n  it's ^", "string"),
        ("yaml", "a: |\n  it's\nb: ^", "code"),
        ("yaml", "a: b#c ^", "code"),
        ("toml", "a = '''\nb^", "string"),
        ("json", '{"a": "b^', "string"),
        ("markdown", "it's \"^", "code"),
        ("makefile", "# it's^", "comment"),
        ("dockerfile", "RUN echo it # ^", "code"),
    ],
)
def test_scope(language: str, document: str, scope: str) -> None:
    assert at(language, document) == scope


def stack(language: str, text: str) -> list[bytes]:
    known = language_for(language, "")
    assert known is not None
    lexer = Lexer(known.rules)
    lexer.feed(text.encode())
    return [frame.text for frame in lexer.stack]


@pytest.mark.parametrize(
    ("language", "text", "left"),
    [
        ("javascript", "f(a, [b\n  return x;\n", []),  # a statement begins
        ("javascript", "f(() => {\n  return (x\n", ["(", "{", "("]),
        ("javascript", "if (x) { f(a) } )", []),
        ("javascript", "if (x) { f(a) ) ]", ["{"]),  # a block is not left by a wrong closer
        ("java", "void f() { g(a;\n  return;\n", ["{"]),
        ("go", "func f() {\n\tg(a\n\tdefer h()\n", ["{"]),
        ("ruby", "def f\n  g(a\n  return\n", ["def"]),
        ("ruby", "def f\n  x if y\n  z while w\n  a do |b|\n  end\n", ["def"]),
        ("ruby", "while x do\n  if y then z end\n", ["while"]),
        ("ruby", "def f(x) = x + 1\n", []),
        ("ruby", "x.class; y.end; {if: 1, end: 2}\n", []),
        ("lua", "local f = function(x)\n  if x then\n  end\n", ["function"]),
        ("shellscript", "if a; then\n  for b in c; do\n    echo done if\n  done\n", ["if"]),
        ("shellscript", "case $a in\n  b) c ;;\nesac\n", []),
        ("c", "#define A {\nint x;\n", []),
    ],
)
def test_what_is_left_open(language: str, text: str, left: list[str]) -> None:
    assert stack(language, text) == [part.encode() for part in left]


@pytest.mark.parametrize(
    ("language", "text", "word", "ended"),
    [
        ("javascript", "const a = 1", b"const", False),
        ("javascript", "const a = 1;", b"", True),
        ("javascript", "const a = 1\n", b"", True),
        ("javascript", "const a =\n", b"const", False),
        ("javascript", "if (a) { b() }\n", b"", True),
        ("c", "int a = 1\n", b"int", False),
        ("c", "if (a) { b(); }\n", b"", True),
        ("c", "#include <a>\n", b"", True),
        ("go", "a := b +\n", b"a", False),
        ("go", "i++\n", b"", True),
        ("ruby", "a = b.\n", b"a", False),
        ("ruby", "a do |b|\nend\n", b"", True),
        ("shellscript", "a |\n", b"a", False),
        ("sql", "select 1\n", b"", True),
    ],
)
def test_where_a_statement_ends(language: str, text: str, word: bytes, ended: bool) -> None:
    known = language_for(language, "")
    assert known is not None
    lexer = Lexer(known.rules)
    lexer.feed(text.encode())
    assert (lexer.word, lexer.statement_ended) == (word, ended)


def test_a_block_knows_the_statement_that_opened_it() -> None:
    known = language_for("go", "")
    assert known is not None
    lexer = Lexer(known.rules)
    lexer.feed(b"func f() {\n\tfor i := range x {\n\t\ty := T{1}\n")
    assert [(f.word, f.indent, f.block) for f in lexer.stack] == [
        (b"func", 0, True),
        (b"for", 8, True),
    ]
