from __future__ import annotations

import io
import tokenize

import pytest

from eval.build.code import first_tokens, logical_lines
from tests.eval.build.nasty import FILES

_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER, tokenize.ENCODING,
}  # fmt: skip
# Python 3.12 and later take f-strings apart, so files with one are not compared.
_PLAIN = [name for name, text in FILES.items() if name.endswith(".py") and b'f"' not in text]


@pytest.mark.parametrize("name", sorted(set(_PLAIN) - {"broken.py"}))
def test_tokens_and_logical_lines_are_those_of_pythons_own_tokenizer(name: str) -> None:
    theirs = list(tokenize.tokenize(io.BytesIO(FILES[name]).readline))
    lines = logical_lines(FILES[name])
    assert lines is not None
    ours = [token.text.decode() for line in lines for token in line.tokens]
    assert ours == [token.string for token in theirs if token.type not in _NO_CODE]
    assert len(lines) == sum(token.type == tokenize.NEWLINE for token in theirs)


def test_text_that_is_no_python_has_no_lines() -> None:
    assert logical_lines(FILES["broken.py"]) is None
    assert logical_lines(b"x = (1\n") is None


def test_a_string_with_all_it_holds_is_one_token() -> None:
    source = b'x = f"{a["b"]!r:>{w}}" + "\\"" \'\'\'a\nb\'\'\'\n'
    lines = logical_lines(source)
    assert lines is not None
    assert [token.text for token in lines[0].tokens] == [
        b"x", b"=", b'f"{a["b"]!r:>{w}}"', b"+", b'"\\""', b"'''a\nb'''",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "depth", "tokens"),
    [
        (b'"abc', 0, [b'"abc']),
        (b'f"{x', 0, [b'f"{x']),
        (b'f"{x\nabc', 0, [b'f"{x']),
        (b"**= 3e5 4.", 0, [b"**=", b"3e5", b"4."]),
        (b" y) + 2\nz", 1, [b"y", b")", b"+", b"2"]),
        (b"a(\n b,\n c", 0, [b"a", b"(", b"b", b","]),
        (b"\nfoo", 0, []),
        (b"\n  foo, 3", 1, [b"foo", b",", b"3"]),
        (b"\\\n b", 0, [b"b"]),
        (b"# why\nx", 0, []),
        (b"x  # why\ny", 0, [b"x"]),
        (b'"\nx', 0, [b'"']),
        (b'"""a\nb', 0, [b'"""a\nb']),
        (b"", 0, []),
        (b"\xa9\xff", 0, [b"\xa9\xff"]),
    ],
)
def test_the_first_tokens_of_a_fragment(text: bytes, depth: int, tokens: list[bytes]) -> None:
    assert [token.text for token in first_tokens(text, depth, 4)] == tokens
