from __future__ import annotations

import io
import keyword
import tokenize
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.syntax import lexer as a_file
from completion.syntax.languages import language_for
from completion.syntax.token_types import TYPE_IDS, TYPES, token_types

PYTHON = language_for("python", "")
FOLDER = Path(a_file.__file__).parent


def named(source: bytes) -> list[tuple[str, bytes]]:
    return [(TYPES[kind], source[start:end]) for start, end, kind in token_types(PYTHON, source)]


def test_the_types_of_a_small_function() -> None:
    assert named(b"def f(x):\n    return x ** 2  # square\ny\n") == [
        ("KEYWORD", b"def"), ("NAME", b"f"), ("(", b"("), ("NAME", b"x"), (")", b")"), (":", b":"),
        ("EOL", b"\n"),
        ("INDENT", b"    "), ("KEYWORD", b"return"), ("NAME", b"x"), ("**", b"**"), ("NUMBER", b"2"),
        ("COMMENT", b"# square"), ("EOL", b"\n"), ("DEDENT", b""), ("NAME", b"y"), ("EOL", b"\n"),
    ]  # fmt: skip


def test_an_f_string_is_text_and_code() -> None:
    assert named(b'f"a{b:>{w}}c"') == [
        ("STRING", b'f"a'), ("{", b"{"), ("NAME", b"b"), (":", b":"), ("STRING", b">"),
        ("{", b"{"), ("NAME", b"w"),
        ("}", b"}"), ("}", b"}"), ("STRING", b'c"'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "source", "wanted"),
    [
        ("javascript", b"a?.b ?? /x/g", ["NAME", "?.", "NAME", "??", "STRING", "NAME"]),
        ("javascript", b"`a${b}`", ["STRING", "OTHER", "NAME", "}", "STRING"]),
        ("rust", b"'a' as &'b u8", ["STRING", "KEYWORD", "&", "STRING", "NAME"]),
        ("go", b"x := <-c // d", ["NAME", ":=", "<-", "NAME", "COMMENT"]),
        ("c", b"/* a\n b */ #if 1", ["COMMENT", "#", "KEYWORD", "NUMBER"]),
        ("sql", b"SELECT 'it''s'", ["KEYWORD", "STRING"]),
        ("tsx", b"<b>it's</b>", ["<", "NAME", ">", "OTHER", "OTHER", "NAME", ">"]),
        ("ruby", b"@a&.b? <<~X\nt\nX\n", ["NAME", "&.", "NAME", "OTHER", "EOL", "STRING", "EOL"]),
    ],
)
def test_other_languages_have_types_by_the_same_table(
    name: str, source: bytes, wanted: list[str]
) -> None:
    assert [TYPES[kind] for _, _, kind in token_types(language_for(name, ""), source)] == wanted


def test_broken_code_has_types_too() -> None:
    assert named(b"x = foo('a\ny = 0x1F ! )")[-5:] == [
        ("NAME", b"y"),
        ("=", b"="),
        ("NUMBER", b"0x1F"),
        ("OTHER", b"!"),
        (")", b")"),
    ]


def test_two_strings_side_by_side_are_two() -> None:
    assert named(b"'a''b'") == [("STRING", b"'a'"), ("STRING", b"'b'")]
    assert named(b'"""a\n"b" c"""') == [("STRING", b'"""a\n"b" c"""')]


def test_crlf_is_one_line_end() -> None:
    assert named(b"x\r\ny") == [("NAME", b"x"), ("EOL", b"\r\n"), ("NAME", b"y")]


def test_types_are_unique_and_their_order_is_frozen() -> None:
    assert len(set(TYPES)) == len(TYPES) <= 128
    assert TYPES[:10] == (
        "NONE", "NAME", "KEYWORD", "NUMBER", "STRING", "COMMENT", "EOL", "INDENT", "DEDENT", "OTHER",
    )  # fmt: skip
    assert (TYPE_IDS["("], TYPE_IDS["..."]) == (10, 56)
    assert TYPES[57:63] == ("VARIABLE", "FUNCTION", "ATTRIBUTE", "MODULE", "CLASS", "PARAMETER")
    assert (TYPE_IDS["?"], TYPE_IDS["=>"], TYPE_IDS["&^"]) == (63, 66, 97)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(alphabet="ab '\"\\\n\r{}()[]#:f=1.é\t", max_size=60).map(str.encode),
    )
)
def test_spans_are_in_order_and_cover_all_but_blanks(source: bytes) -> None:
    pos = 0
    for start, end, _ in token_types(PYTHON, source):
        assert not source[pos:start].strip(b" \t\f\r")
        assert pos <= start <= end
        pos = end
    assert not source[pos:].strip(b" \t\f\r")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_whole_files_agree_with_pythons_own_tokenizer(path: Path) -> None:
    source = path.read_bytes()
    wanted: list[str] = []
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        name = tokenize.tok_name[token.type]
        if name == "NAME":
            wanted.append("KEYWORD" if keyword.iskeyword(token.string) else "NAME")
        elif name == "OP":
            wanted.append(token.string)
        elif name in ("NUMBER", "STRING", "COMMENT", "INDENT", "DEDENT"):
            wanted.append(name)
    if any(name.startswith("f") for name in wanted if "STRING" in name):
        pytest.skip("f-strings are split by newer tokenizers")
    plain = [TYPES[kind] for _, _, kind in token_types(PYTHON, source) if TYPES[kind] != "EOL"]
    if b'f"' not in source:
        while wanted and wanted[-1] == "DEDENT":  # the end of the file is no token here
            wanted.pop()
        assert plain == wanted
