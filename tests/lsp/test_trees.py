"""Trees made beside the handlers: of the latest text, and as a fresh parse would have them."""

from __future__ import annotations

import asyncio
import gc
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from completion.syntax.languages import language_for
from lsp import trees
from lsp.context.shapes import Shapes
from lsp.context.texts import Kept, OpenText, Texts
from lsp.documents import Document, split_lines
from lsp.positions import Encoding, wire_bytes
from lsp.trees import Trees, parse

PIECES = {
    "python": [
        "x = 1",
        "def f(a):",
        "    return a",
        "(",
        ")",
        "'",
        '"""',
        "é",
        "😋",
        "#c",
        "if x:",
    ],
    "javascript": ["let x = 1;", "function f(a) {", "}", "`${", "`", "/*", "*/", "<p>", "😋"],
    "c": ["int x;", "int f(int a) {", "}", "return a;", "/*", "*/", "#if X", "#endif", '"'],
}
ENDS = ["\n", "\n", "\r\n", "\r", "\f", "\u2028", " "]
texts = {
    name: st.lists(st.sampled_from([*pieces, *ENDS]), max_size=30).map("".join)
    for name, pieces in PIECES.items()
}
positions = st.builds(types.Position, st.integers(0, 10), st.integers(0, 20))


def document(text: str, language_id: str = "python") -> Document:
    return Document("file:///a", text, Encoding.UTF16, version=1, language_id=language_id)


def type_in(opened: Document, start: types.Position, end: types.Position, text: str) -> None:
    opened.apply_change(types.TextDocumentContentChangePartial(types.Range(start, end), text))


def nodes(tree) -> list[tuple]:
    """Every node with its place in bytes and in rows."""
    found, cursor = [], tree.walk()
    while True:
        node = cursor.node
        found.append(
            (node.type, node.start_byte, node.end_byte, node.start_point, node.end_point,
             node.is_missing)
        )  # fmt: skip
        if cursor.goto_first_child() or cursor.goto_next_sibling():
            continue
        while cursor.goto_parent():
            if cursor.goto_next_sibling():
                break
        else:
            return found


@pytest.mark.parametrize("language_id", PIECES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_after_any_edits_the_tree_is_that_of_a_fresh_parse(language_id, data):
    language = language_for(language_id, "")
    assert language is not None
    opened = document(data.draw(texts[language_id]), language_id)
    parsed = parse(language, opened.content.lines, 0, None)
    for start, end, text in data.draw(
        st.lists(st.tuples(positions, positions, texts[language_id]), max_size=6)
    ):
        type_in(opened, start, end, text)
        parsed = parse(language, opened.content.lines, opened.epoch, parsed)
        assert parsed is not None
        source = wire_bytes(opened.source)
        assert parsed.source == source
        assert nodes(parsed.tree) == nodes(language.parser.parse(source))


WHOLE = {
    "python": [
        "def f(a, b):\n    return a + b\n", "x = [1,\n  2]\n", "# é\n", "\n", "s = '''a\n b'''\n",
        "class A:\n    x = 1\n    def m(self):\n        if x:\n            pass\n        else:\n"
        "            return 1\n", "for i in x:\n    print(f'{i!r:>{3}} 😋')\n",
    ],
    "javascript": [
        "function f(a){ return a }\n", "const x = `a${b}c`;\n", "let a = b\n", "(c)\n", "\n",
        "class A { m() { return /x/g } }\n", "if (a) b\nelse c\n", "/* 😋 */\n",
    ],
    "c": [
        "int f(int a) { return a; }\n", "#if X\nint a;\n#endif\n", "#define A 1\n", "\n",
        "struct S { int a; };\n", 'char *s = "a" "b";\n', "typedef int t;\nt * y;\n",
    ],
}  # fmt: skip
"""Whole statements: of these a text has no errors, and its tree is made from the last one."""


@pytest.mark.parametrize("language_id", WHOLE)
def test_a_tree_made_from_the_last_one_is_that_of_a_fresh_parse(language_id):
    language, draw = language_for(language_id, ""), random.Random(5)
    assert language is not None
    reused = 0
    for _ in range(25):
        parts = draw.choices(WHOLE[language_id], k=draw.randrange(1, 12))
        parsed = parse(language, split_lines("".join(parts)), 0, None)
        for epoch in range(1, 8):
            at = draw.randrange(len(parts))
            if draw.random() < 0.5:
                parts.insert(at, draw.choice(WHOLE[language_id]))
            elif len(parts) > 1:
                del parts[at]
            assert parsed is not None
            was_whole = not parsed.tree.root_node.has_error
            parsed = parse(language, split_lines("".join(parts)), epoch, parsed)
            assert parsed is not None
            assert nodes(parsed.tree) == nodes(language.parser.parse("".join(parts).encode()))
            reused += was_whole and not parsed.tree.root_node.has_error
    assert reused > 100, "the case that is tested here hardly came"


def test_what_has_not_changed_is_not_parsed_again():
    language = language_for("python", "")
    assert language is not None
    opened = document("def f(a):\n    return a\n\n\n" * 2000)
    first = parse(language, opened.content.lines, 0, None)
    assert first is not None
    type_in(opened, types.Position(4001, 11), types.Position(4001, 12), "bb")
    old = trees.edited(first, wire_bytes(opened.source))
    second = parse(language, opened.content.lines, 1, first)
    assert second is not None
    changed = old.changed_ranges(second.tree)
    assert all(r.start_point.row >= 4000 and r.end_point.row <= 4002 for r in changed)


async def test_the_latest_text_wins_and_a_stale_tree_is_not_fresh():
    kept, opened = Trees(), document("x = 1\n")
    language = language_for("python", "")
    kept.changed(opened, language)
    for n in range(50):
        type_in(opened, types.Position(0, 0), types.Position(0, 0), f"y{n} = 1\n")
        kept.changed(opened, language)
        assert kept.fresh(opened) is None
    parsed = await kept.settled(opened)
    assert parsed is not None and parsed.source == wire_bytes(opened.source)
    assert kept.parses <= 3, "each keystroke was parsed"
    type_in(opened, types.Position(0, 0), types.Position(0, 0), "z")
    assert kept.fresh(opened) is None and kept.latest(opened) is parsed
    kept.close()


async def test_a_document_that_is_closed_or_forgotten_has_no_tree():
    kept = Trees()
    language = language_for("python", "")
    several = [document(f"x = {n}\n") for n in range(trees.MAX_TREES + 2)]
    for opened in several:
        kept.changed(opened, language)
        await kept.settled(opened)
    assert kept.latest(several[0]) is None and kept.fresh(several[-1]) is not None
    kept.closed(several[-1])
    assert kept.latest(several[-1]) is None
    assert len(kept) == trees.MAX_TREES - 1
    del several, opened
    gc.collect()
    assert len(kept) == 0, "a document that is gone is kept for its tree"
    kept.close()


async def test_a_language_without_a_grammar_and_a_long_text_have_no_tree():
    kept = Trees()
    for opened, language in (
        (document("x", "plaintext"), None),
        (document("x = 1\n" * (trees.MAX_BYTES // 6 + 1)), language_for("python", "")),
    ):
        kept.changed(opened, language)
        assert await kept.settled(opened) is None
    assert kept.parses == 0
    kept.close()


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [("def f(a):\n    return a\n", True), ("def f(a):\r\n    return a\r\n", False)],
)
def test_context_is_made_of_the_kept_tree_where_it_is_of_that_text(text, is_taken):
    language = language_for("python", "")
    assert language is not None
    lines = tuple(split_lines(text))
    parsed = parse(language, lines, 3, None)
    opened = OpenText(language=language, lines=lines, epoch=3, kept=Kept(), parsed=parsed)
    found = Texts(None, {"a.py": opened}).read("a.py")
    assert found is not None and parsed is not None
    assert found.tree is (parsed.tree if is_taken else None)
    (definition,) = Shapes().of(found)
    assert definition.name == b"f"


async def test_the_loop_goes_on_while_a_long_file_is_parsed():
    kept, opened = Trees(), document("def f(a):\n    return [a, 'b', 1]\n\n\n" * 5000)
    kept.changed(opened, language_for("python", ""))
    turns = 0
    while kept.fresh(opened) is None:
        turns += 1
        await asyncio.sleep(0)
    assert turns > 20, "the parser held the interpreter"
    kept.close()
