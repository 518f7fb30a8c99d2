from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.syntax.languages import language_for
from completion.syntax.lexer import Lexer
from completion.syntax.rules import PYTHON

FILES = [Path(str(module.__file__)) for module in (argparse, dataclasses)]


def state(lexer: Lexer) -> tuple[object, ...]:
    return lexer.stack, lexer.previous, lexer.indent, lexer.in_comment


def slowly(source: bytes) -> Lexer:
    lexer = Lexer(PYTHON)
    lexer.pieces(source)  # token by token: pieces are not skipped over
    return lexer


def quickly(source: bytes) -> Lexer:
    lexer = Lexer(PYTHON)
    lexer.feed(source)
    return lexer


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_quick_way_over_a_file_ends_where_the_slow_one_does(path: Path) -> None:
    source = path.read_bytes()
    assert quickly(source).stack == ()
    for cut in range(0, len(source), 997):
        assert state(quickly(source[:cut])) == state(slowly(source[:cut]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_line_by_line_is_the_same_as_at_once(path: Path) -> None:
    lexer, source = Lexer(PYTHON), path.read_bytes()
    for line in source.splitlines(keepends=True):
        lexer.feed(line)
    assert state(lexer) == state(quickly(source))
    assert lexer.lexed == len(source)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(["a", "(", ")", "[", "]", "{", "}", "'", '"', '"""', "f'", "\\", "\n", " ", "    ", "#", ":", "def f", ",", "\r\n", "if x:\n", '"x"', "(a)"]), max_size=25))  # fmt: skip  # noqa: E501
def test_both_ways_agree_on_broken_text(parts: list[str]) -> None:
    source = "".join(parts).encode()
    assert state(quickly(source)) == state(slowly(source))


def test_peeking_changes_nothing() -> None:
    lexer = quickly(b"x = (\n")
    before = state(lexer)
    assert lexer.peek(b"  'a").stack[-1].text == b"'"
    assert state(lexer) == before


def test_a_wrong_closer_is_passed_over_and_a_right_one_closes_what_is_inside_it() -> None:
    assert [frame.text for frame in quickly(b"f(a]").stack] == [b"("]
    assert [frame.text for frame in quickly(b"f({[a}").stack] == [b"("]


def test_a_statement_ends_brackets_that_were_left_open() -> None:
    lexer = quickly(b"x = foo(a,\n")
    lexer.feed(b"    return x\n")
    assert lexer.recovered
    assert lexer.stack == ()


def test_languages_are_found_by_id_then_by_path() -> None:
    python = language_for("python", "a.txt")
    assert python is not None and python.name == "python"
    assert language_for("", "a/b.PYI") is python
    assert language_for("klingon", "a.py") is None
    assert language_for("", "notes") is None
    assert python.line_comment == b"#"


def test_the_grammar_is_loaded_when_it_is_asked_for() -> None:
    python = language_for("python", "")
    assert python is not None
    assert python.parser is python.parser
    assert python.parser.parse(b"x = 1").root_node.type == "module"
