"""G14: the scope gate works: ten languages, each in code, in a comment and in a string."""

from __future__ import annotations

import pytest
from lsprotocol import types

from completion.config import ClientConfig
from lsp.documents import Document
from lsp.gates.table import declined
from lsp.inline import take
from lsp.offering import moment
from lsp.positions import Encoding
from lsp.protocol import InlineParams
from lsp.syntax import Syntax

OFF = ClientConfig(disabled_scopes=("comment", "string", "docstring"))
EMOJI = "😋"

CASES: dict[str, dict[str, list[str]]] = {
    "python": {
        "code": ["x = ¦", "x = f'{¦'", "'a' + ¦", "# c\n¦"],
        "comment": ["# a ¦", "x = 1  # ¦", "def f():\n    # 'a' ¦"],
        "string": ["x = 'a ¦'", 'x = """a\nb ¦', "x = f'{a} ¦'", "x = r'\\¦'"],
        "docstring": ['def f():\n    """What ¦', '"""Module ¦"""\n'],
    },
    "javascript": {
        "code": ["let x = ¦", "`a ${¦", "/* c */ ¦", "x = a / b; ¦"],
        "comment": ["// a ¦", "/* a\n b ¦", "x = 1; // '¦"],
        "string": ["x = 'a ¦'", "x = `a\nb ¦", 'x = "// ¦"'],
    },
    "typescriptreact": {
        "code": ["const x: A<B> = ¦", "const e = <p>{¦"],
        "comment": ["// ¦", "const e = <p>{/* ¦"],
        "string": ["const e = <p a='¦'", "x = `${a} ¦"],
    },
    "go": {
        "code": ["x := ¦", 'fmt.Println("a", ¦', "r := '\\'' + ¦"],
        "comment": ["// ¦", "/* a\n ¦", "x := 1 // ¦"],
        "string": ['x := "a ¦', "x := `a\nb ¦"],
    },
    "rust": {
        "code": ["fn f<'a>(x: &'a str) { ¦", "let c = '\"'; ¦", "/* /* a */ */ ¦"],
        "comment": ["/// doc ¦", "/* /* a */ ¦", "let x = 1; // ¦"],
        "string": ['let s = r#"a " b ¦', 'let s = "a\n b ¦'],
    },
    "java": {
        "code": ["int x = ¦", "char c = '\"'; ¦"],
        "comment": ["/** a\n * ¦", "int x; // ¦"],
        "string": ['String s = "a // ¦', 'String s = """\n a ¦'],
    },
    "c": {
        "code": ["int x = ¦", "char c = '\"'; int y = ¦", '#include "a.h"\n¦'],
        "comment": ["/* a\n * ¦", "int x; // ¦"],
        "string": ['char *s = "a /* ¦', 'char *s = "a" "b ¦'],
    },
    "cpp": {
        "code": ["auto x = ¦", 'auto s = R"(a " b)" + ¦', "int n = 1'000; ¦"],
        "comment": ["// ¦", "/* a ¦"],
        "string": ['auto s = R"x(a )" b ¦', 's = u8"a ¦'],
    },
    "csharp": {
        "code": ["var x = ¦", 'var s = @"a ""b"" c" + ¦', 'var s = $"a {¦'],
        "comment": ["/// <summary> ¦", "/* ¦", "var x = 1; // ¦"],
        "string": ['var s = @"a\nb ¦', 'var s = $"a {b} ¦'],
    },
    "ruby": {
        "code": ["x = ¦", 'x = "a #{¦', "x = %w(a b)\n¦"],
        "comment": ["# ¦", "=begin\na ¦", "x = 1 # ¦"],
        "string": ["x = 'a ¦", 'x = "a #{b} ¦', "x = <<~EOS\n  a ¦"],
    },
    "shellscript": {
        "code": ["x=¦", "echo ${x#a} ¦", "cat <<EOF\na\nEOF\n¦", 'echo "$(¦'],
        "comment": ["# ¦", "echo a # ¦"],
        "string": ["echo 'a # ¦", 'echo "a $b ¦', "cat <<'EOF'\na ¦"],
    },
    "sql": {
        "code": ["select ¦", "select 'a''b', ¦"],
        "comment": ["-- ¦", "/* a\n ¦"],
        "string": ["select 'a -- ¦"],
    },
}  # fmt: skip
FLAT = [
    pytest.param(language, scope, text, id=f"{language}-{scope}-{n}")
    for language, scopes in CASES.items()
    for scope, texts in scopes.items()
    for n, text in enumerate(texts)
]


def verdict(language: str, text: str, config: ClientConfig, *, invoked: bool = False) -> str:
    """What the gates say with the cursor at ``¦``, behind an emoji on a line above."""
    text = f"{text}\n" if "¦" in text else text
    lines = text.split("¦")[0].split("\n")
    opened = Document("file:///w/a", text.replace("¦", ""), Encoding.UTF16,
                      version=1, language_id=language)  # fmt: skip
    column = len(lines[-1].encode("utf-16-le")) // 2
    position = types.Position(len(lines) - 1, column)
    kind = types.InlineCompletionTriggerKind
    params = InlineParams(
        types.InlineCompletionContext(kind.Invoked if invoked else kind.Automatic),
        types.TextDocumentIdentifier("file:///w/a"), position,
    )  # fmt: skip
    syntax = Syntax()
    found = moment(
        take(opened, position), params, ["/w"], scope=syntax.scope, refused=lambda document: ""
    )
    syntax.close()
    return declined(found, config)


def test_there_are_ten_languages_and_each_has_all_three_scopes():
    assert len(CASES) >= 10
    assert all({"code", "comment", "string"} <= scopes.keys() for scopes in CASES.values())


@pytest.mark.parametrize(("language", "scope", "text"), FLAT)
def test_the_scope_gate(language, scope, text):
    assert verdict(language, text, OFF) == ("" if scope == "code" else scope)
    assert verdict(language, text, OFF, invoked=True) == ""
    if scope != "code":
        others = tuple(other for other in OFF.disabled_scopes if other != scope)
        assert verdict(language, text, ClientConfig(disabled_scopes=others)) == ""


@pytest.mark.parametrize("language", CASES)
def test_an_emoji_before_the_cursor_moves_nothing(language):
    for scope, text in (("comment", CASES[language]["comment"][0]), ("code", "¦")):
        cut = text.replace("¦", f"{EMOJI} ¦" if scope == "comment" else "¦")
        assert verdict(language, cut, OFF) == ("" if scope == "code" else scope)


def test_plain_text_has_no_scope_and_is_offered():
    assert verdict("plaintext", "# not a comment ¦", OFF) == ""
