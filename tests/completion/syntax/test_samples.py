"""Every language on a real file: cut at every byte, against the tree of the whole file."""

from __future__ import annotations

from pathlib import Path

import pytest

from completion.syntax.languages import LANGUAGES, Language, language_for
from completion.syntax.lexer import Lexer
from completion.syntax.scopes import scope_at, scope_of
from completion.syntax.token_types import token_types
from tests.completion.syntax.tree_scopes import tree_scopes

SAMPLES = sorted((Path(__file__).parent / "samples").iterdir())
MOST_UNSURE = 0.05
"""Of a file's cursors: those where even the whole text leaves the scope open, see tree_scopes."""


def language_of(path: Path) -> Language:
    language = language_for("", path.name)
    assert language is not None
    return language


def lexed(language: Language, source: bytes) -> list[str]:
    """Return the scope at every cursor, each told from what is before it alone."""
    scopes: list[str] = []
    lexer = Lexer(language.rules)
    for line in source.splitlines(keepends=True):
        scopes += [scope_of(lexer.peek(line[:cut])) for cut in range(len(line))]
        lexer.feed(line)
    return [*scopes, scope_of(lexer)]


def state(lexer: Lexer) -> tuple[object, ...]:
    return lexer.stack, lexer.previous, lexer.indent, lexer.word, lexer.in_comment


def test_every_language_with_a_grammar_has_a_sample() -> None:
    named = {language_of(path).name for path in SAMPLES}
    # the scope of Markdown is code everywhere but in its comments
    assert {l.name for l in LANGUAGES if l.grammar} - named == {"markdown"}  # noqa: E741


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_scope_at_every_byte_is_the_trees(path: Path) -> None:
    source, language = path.read_bytes(), language_of(path)
    assert source.count(b"\n") >= 100
    wanted, unsure = tree_scopes(language, source)
    assert len(unsure) <= MOST_UNSURE * len(source) or language.name in ("c", "cpp", "dockerfile")
    found = ["string" if scope == "docstring" else scope for scope in lexed(language, source)]
    wrong = [at for at in range(len(source) + 1) if found[at] != wanted[at] and at not in unsure]
    assert [(at, wanted[at], found[at], source[max(0, at - 20) : at]) for at in wrong] == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_nothing_is_left_open_at_the_end(path: Path) -> None:
    source, language = path.read_bytes(), language_of(path)
    lexer = Lexer(language.rules)
    lexer.feed(source)
    assert [frame.text for frame in lexer.stack] in ([], [b""])  # a page is text around its tags


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_at_once_by_lines_and_by_tokens_are_one(path: Path) -> None:
    source, language = path.read_bytes(), language_of(path)
    quick, slow, lines = (Lexer(language.rules) for _ in range(3))
    slow.pieces(source)
    quick.feed(source)
    for line in source.splitlines(keepends=True):
        lines.feed(line)
    assert state(quick) == state(slow) == state(lines)
    assert lines.lexed == len(source)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_cut_anywhere_it_has_a_scope_and_types(path: Path) -> None:
    source, language = path.read_bytes(), language_of(path)
    for cut in range(0, len(source), 211):
        assert scope_at(language, source[:cut], cut) == scope_at(language, source, cut) or (
            source[cut - 1 : cut] in b"\"'"  # the third quote of an opening is behind the cursor
        )
        pos = 0
        for start, end, _ in token_types(language, source[:cut]):
            assert pos <= start <= end
            pos = end


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_statement_at_a_cut_is_found_the_quick_way_too(path: Path) -> None:
    source, language = path.read_bytes(), language_of(path)
    for cut in range(0, len(source), 97):
        quick, slow = Lexer(language.rules), Lexer(language.rules)
        quick.feed(source[:cut])
        slow.pieces(source[:cut])
        assert state(quick) == state(slow)
