"""The lexer's states kept while a document is edited: always what a fresh reading says, and cheap."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from completion.syntax.languages import language_for
from completion.syntax.scopes import scope_at
from lsp import lexed
from lsp.documents import Document
from lsp.lexed import LexedLines
from lsp.notebooks import CELL_MAGIC, LINE_MAGIC
from lsp.positions import Encoding, wire_bytes

PIECES = {
    "python": ['"""', "'", '"', "#", "f'{", "}", "(", ")", ":", "def f", "x = 1", "\\", "😋", "é", "return"],
    "c": ["/*", "*/", "//", '"', "'", "\\", "{", "}", "int x;", "#if 1", "#else", "#endif", "😋"],
    "javascript": ["`", "${", "}", "/*", "*/", "//", '"', "x = 1", "/", "<p>", "</p>", "é"],
    "rust": ['r#"', '"#', "/*", "*/", "'a", "'", '"', "{", "}", "😋"],
    "ruby": ["<<~EOS", "EOS", "=begin", "=end", "#{", "}", '"', "'", "do", "end", "%w(", ")"],
    "shellscript": ["<<EOF", "EOF", "$(", ")", "'", '"', "#", "if x; then", "fi", "case a in", "esac"],
}  # fmt: skip
ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\f", "\u2028", "\x85", " ", "    "]
texts = {
    name: st.lists(st.sampled_from([*pieces, *ENDS]), max_size=40).map("".join)
    for name, pieces in PIECES.items()
}
positions = st.builds(types.Position, st.integers(0, 12), st.integers(0, 30))


def edit(start: types.Position, end: types.Position, text: str):
    return types.TextDocumentContentChangePartial(types.Range(start, end), text)


def document(text: str, language_id: str, encoding=Encoding.UTF16) -> Document:
    return Document("file:///a", text, encoding, version=1, language_id=language_id)


def expected(opened: Document, line: int, column: int) -> str:
    language = language_for(opened.language_id or "", "")
    before = wire_bytes(opened.content.before(line, column))
    return scope_at(language, before + wire_bytes(opened.content.after(line, column)), len(before))


@pytest.mark.parametrize("language_id", PIECES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_after_any_edits_the_scope_is_that_of_a_fresh_reading(language_id, data):
    opened = document(data.draw(texts[language_id]), language_id)
    language = language_for(language_id, "")
    assert language is not None
    follower = LexedLines(language, step=2)
    opened.followers.append(follower)
    changes = st.tuples(positions, positions, texts[language_id], st.booleans())
    for start, end, text, whole in data.draw(st.lists(changes, max_size=6)):
        change = types.TextDocumentContentChangeWholeDocument(text)
        opened.apply_change(change if whole and len(text) % 3 == 0 else edit(start, end, text))
        lines = opened.content.lines
        line, column = opened.content.locate(data.draw(positions), opened.encoding)
        assert follower.scope(lines, line, column) == expected(opened, line, column)
        if data.draw(st.booleans()):
            follower.read_on(lines)
    lines = opened.content.lines
    for line, text in enumerate(lines):
        column = len(text.rstrip("\r\n"))
        assert follower.scope(lines, line, column) == expected(opened, line, column)


def source(lines: int) -> str:
    return "".join(
        f'def f{n}(a, b):\n    """What it does."""\n    return [a, "b", {n}]  # why\n\n'
        for n in range(lines // 4)
    )


def kept(opened: Document) -> LexedLines:
    language = language_for("python", "")
    assert language is not None
    follower = LexedLines(language)
    opened.followers.append(follower)
    while follower.read_on(opened.content.lines):
        pass
    return follower


def test_reading_on_in_steps_reads_each_line_once():
    opened = document(source(5000), "python")
    follower = kept(opened)
    assert len(opened.lines) - lexed.STEP <= follower.lines_read <= len(opened.lines)
    follower.lines_read = 0
    assert follower.scope(opened.content.lines, 4998, 4) == "code"
    assert follower.lines_read <= lexed.STEP


def test_typing_costs_what_lies_between_a_kept_state_and_the_line():
    opened = document(source(20_000), "python")
    follower = kept(opened)
    follower.lines_read = 0
    for column, key in enumerate("value = compute(1)  # done"):
        here = types.Position(10_003, column)
        opened.apply_change(edit(here, here, key))
        follower.scope(opened.content.lines, 10_003, column + 1)
    assert follower.lines_read <= 26 * lexed.STEP


def test_an_edit_far_above_is_read_until_its_effect_has_died_out_and_no_further():
    opened = document(source(20_000), "python")
    follower = kept(opened)
    follower.lines_read = 0
    here = types.Position(3, 0)
    opened.apply_change(edit(here, here, "import os\nimport re\n"))
    assert follower.scope(opened.content.lines, 19_000, 4) == "code"
    assert follower.lines_read <= 4 * lexed.STEP


def test_an_edit_that_changes_all_below_it_does_so_and_back():
    opened = document(source(2000), "python")
    follower = kept(opened)
    here, after = types.Position(3, 0), types.Position(3, 3)
    assert follower.scope(opened.content.lines, 1500, 0) == "code"
    opened.apply_change(edit(here, here, '"""'))
    line = 1500
    assert follower.scope(opened.content.lines, line, 0) == expected(opened, line, 0) == "string"
    opened.apply_change(edit(here, after, ""))
    assert follower.scope(opened.content.lines, line, 0) == "code"


def test_two_cursors_far_apart_cost_no_more_than_two():
    opened = document(source(20_000), "python")
    follower = kept(opened)
    follower.lines_read = 0
    for column in range(20):
        for line in (19_003, 7):
            here = types.Position(line, column)
            opened.apply_change(edit(here, here, "x"))
        follower.scope(opened.content.lines, 19_003, column + 1)
    assert follower.lines_read <= 20 * 6 * lexed.STEP


def test_random_edits_of_a_long_file_stay_equal():
    random.seed(7)
    opened = document(source(600), "python")
    follower = kept(opened)
    for _ in range(150):
        line = random.randrange(len(opened.lines))
        here = types.Position(line, random.randrange(30))
        there = types.Position(min(line + random.choice([0, 0, 0, 2, 70]), 590), 3)
        new = random.choice(["x", '"""', "#", "\n", "'", "f(", "", "", "a\r\nb", "\n" * 70])
        opened.apply_change(edit(here, there if not new else here, new))
        line = random.randrange(len(opened.lines))
        assert follower.scope(opened.content.lines, line, 4) == expected(
            opened, *opened.content.locate(types.Position(line, 4), opened.encoding)
        )


def test_a_line_too_long_to_read_has_no_scope():
    opened = document("x = '" + "a" * lexed.MAX_LINE, "python")
    assert kept(opened).scope(opened.content.lines, 0, 4) == "code"
    assert kept(opened).scope(opened.content.lines, 0, lexed.MAX_LINE + 2) == ""


@pytest.mark.parametrize(
    ("magic", "behind"),
    [
        ("!echo 'it (", "code"),
        ("%load_ext (", "code"),
        ("files = !ls 'a (", "code"),
        ("  %time f('", "code"),
        ("x = '''", "string"),
        ("f(a\n% b", "code"),
        ('"""\n% b', "docstring"),
    ],
)
def test_magics_of_a_notebook_do_not_reach_the_next_line(magic, behind):
    language = language_for("python", "")
    assert language is not None
    opened = document(f"{magic}\nname = 1\n", "python")
    follower = LexedLines(language, not_code=LINE_MAGIC)
    line = len(opened.lines) - 2
    assert follower.scope(opened.content.lines, line, 4) == behind
    assert follower.scope(opened.content.lines, line + 1, 0) == behind


def test_the_cursor_in_a_magic_is_in_code():
    language = language_for("python", "")
    assert language is not None
    assert LexedLines(language, not_code=LINE_MAGIC).scope(["!echo 'a # b"], 0, 11) == "code"
    shell = language_for("shellscript", "")
    assert shell is not None
    lines = ["%%bash --out 'x\n", "echo 'a"]
    assert LexedLines(shell, not_code=CELL_MAGIC).scope(lines, 1, 7) == "string"
    assert LexedLines(shell, not_code=CELL_MAGIC).scope(lines, 1, 2) == "code"
