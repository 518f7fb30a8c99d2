"""Broken text in every language: it never raises, and how it is read makes no difference."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.syntax.boundaries import extent_at
from completion.syntax.languages import LANGUAGES, Language, language_for
from completion.syntax.lexer import Lexer
from completion.syntax.scopes import scope_at
from completion.syntax.token_types import token_types

SAMPLES = sorted((Path(__file__).parent / "samples").iterdir())
PARTS = [
    "a", "b1", "(", ")", "[", "]", "{", "}", "<", ">", "</", "/>", "'", '"', "`", '"""', "'''", "\\",
    "\n", "\r\n",
    " ", "    ", "\t", "#", "//", "/*", "*/", "--", "<!--", "-->", "--[[", "]]", "${", "#{", "\\(",
    "$(", "%w(", "/",
    "=", "=>", "->", ";", ":", ",", ".", "<<EOF", "<<~A", "EOF\n", "A\n", "R\"x(", ")x\"", "r#\"",
    "\"#", "@\"", "$\"",
    "if ", "do", "then ", "end", "def f", "return ", "case x", "class A", "function ", "fi", "done",
    "=begin\n", "=end\n",
    "#if\n", "#else\n", "#endif\n", "- |\n", "key: ", "<?php ", "?>", "<div", "<b>", "1", "0x", "1.5",
    "é", "?", "!", "++",
]  # fmt: skip


def state(lexer: Lexer) -> tuple[object, ...]:
    return lexer.stack, lexer.previous, lexer.indent, lexer.word, lexer.in_comment, lexer.tail


def check(language: Language, source: bytes) -> None:
    quick, slow, lines = (Lexer(language.rules) for _ in range(3))
    quick.feed(source)
    pieces = slow.pieces(source)
    for line in source.split(b"\n")[:-1]:
        lines.feed(line + b"\n")
    lines.feed(source.split(b"\n")[-1])
    assert state(quick) == state(slow), source
    assert state(quick) == state(lines), source
    pos = 0
    for start, end, _ in pieces:
        assert not source[pos:start].strip(b" \t\f\r\n"), source
        assert pos <= start <= end
        pos = end
    token_types(language, source)
    scope_at(language, source, len(source) // 2)


@pytest.mark.parametrize("name", [language.name for language in LANGUAGES])
@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.lists(st.sampled_from(PARTS), max_size=25).map(lambda parts: "".join(parts).encode()),
        st.binary(max_size=60),
    )
)
def test_random_text(name: str, source: bytes) -> None:
    check(next(language for language in LANGUAGES if language.name == name), source)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_files_with_a_piece_cut_out(path: Path) -> None:
    source, language = path.read_bytes(), language_for("", path.name)
    assert language is not None
    chance = random.Random(path.name)
    for _ in range(6):
        start = chance.randrange(len(source))
        check(language, source[:start] + source[start + chance.randrange(1, 60) :])


def test_a_line_begins_behind_the_comment_that_ends_in_it() -> None:
    json = language_for("json", "")
    assert json is not None
    check(json, b"/*\n/*//")


@pytest.mark.parametrize(
    ("name", "first", "part", "last"),
    [
        ("python", b"x = ", b"(", b""),
        ("python", b"x = ", b"(\n", b""),
        ("javascript", b"", b"f(() => {\n", b""),
        ("go", b"", b"if x {\n", b")"),
        ("json", b"", b"[", b"}"),
        ("ruby", b"", b"do\n", b"}"),
        ("javascript", b"", b"`${", b""),
        ("tsx", b"", b"<a>", b""),
        ("rust", b"", b"/*", b""),
        ("c", b"", b"\r" * 10, b""),
        ("shell", b"", b"cat <<A\n", b""),
        ("lua", b"", b"--[==[", b""),
    ],
)
def test_deep_nesting_takes_as_long_as_it_is(
    name: str, first: bytes, part: bytes, last: bytes
) -> None:
    """Where each bracket copied all that are open, four times the text took 16 times the time."""
    language = language_for(name, "")

    def took(parts: int) -> float:
        text = first + part * parts + last * parts
        began = time.process_time()
        extent_at(language, text, b"")
        return time.process_time() - began

    assert min(took(4_000) for _ in range(2)) < 9 * min(took(1_000) for _ in range(3))
