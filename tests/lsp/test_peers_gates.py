"""Defects of the peers, and what users ask for of them, that gates and notebooks answer: by name.

The list is the project's own survey; each test is named after the defect or the wish.
"""

from __future__ import annotations

import pytest
from lsprotocol import types

from lsp.documents import LineText
from lsp.positions import Encoding

INVOKED = 1


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> dict:
    first, last = ({"line": line, "character": column} for line, column in (start, end))
    return {"range": {"start": first, "end": last}, "text": text}


async def test_tabby_the_last_notebook_cell_gets_no_context(editor, service, tmp_path):
    cells = [("python", f"def cell_{n}():\n    return {n}\n") for n in range(4)]
    async with editor() as session:
        uris = session.open_notebook(tmp_path / "n.ipynb", [*cells, ("python", "value = cel")])
        await session.complete(uris[-1], 0, 11)
        snippets = service.requests[-1].snippets
        assert [(s.kind, s.text.decode()) for s in snippets] == [
            ("sibling_cell", text) for _, text in cells
        ]


IN_TEXT = [
    ("python", "# say ", "comment"),
    ("python", "x = 'say ", "string"),
    ("python", 'def f():\n    """Say ', "docstring"),
    ("rust", "/* /* a */ say ", "comment"),
    ("go", "x := `a\nsay ", "string"),
    ("javascript", "x = `a ${b} say ", "string"),
    ("shellscript", "cat <<EOF\nsay ", "string"),
    ("cpp", 'auto s = R"x(a " say ', "string"),
]


async def test_off_in_comments_or_strings_in_every_language(editor, service, tmp_path):
    off = ["comment", "string", "docstring"]
    async with editor(options={"disabled_scopes": off}) as session:
        for number, (language, text, scope) in enumerate(IN_TEXT):
            lines = text.split("\n")
            here = (len(lines) - 1, len(lines[-1]))
            uri = session.open(tmp_path / f"{number}", text, language)
            service.requests.clear()
            assert (await session.complete(uri, *here)).items == (), text
            assert service.requests == []
            assert (await session.complete(uri, *here, triggerKind=INVOKED)).items
            assert service.requests[-1].document.scope == scope
            session.change(uri, 2, {"text": "more = "})
            assert (await session.complete(uri, 0, 7)).items, "code is served"


async def test_and_it_must_work_where_the_file_is_longer_than_what_is_sent(
    editor, service, tmp_path
):
    text = '"""Opened far above.\n' + "not code\n" * 3000
    settings = {"disabled_scopes": ["docstring"], "context_bytes": 1024}
    async with editor(options=settings) as session:
        uri = session.open(tmp_path / "a.py", text)
        assert (await session.complete(uri, 2900, 3)).items == ()
        await session.complete(uri, 2900, 3, triggerKind=INVOKED)
        document = service.requests[-1].document
        assert document.prefix_truncated and document.scope == "docstring"


async def test_nothing_on_backspace(editor, service, tmp_path):
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = foo(bar)\n")
        session.change(uri, 2, edit((0, 10), (0, 11), ""))
        assert (await session.complete(uri, 0, 10)).items == ()
        assert service.requests == []
        assert (await session.complete(uri, 0, 10, triggerKind=INVOKED)).items
        session.change(uri, 3, edit((0, 10), (0, 10), "z"))
        assert (await session.complete(uri, 0, 11)).items, "typing goes on"
        session.change(uri, 4, edit((0, 8), (0, 11), "q"))
        assert (await session.complete(uri, 0, 9)).items, "a selection typed over is typing"


async def test_nothing_on_backspace_can_be_turned_off(editor, tmp_path):
    async with editor(options={"after_deletion": True}) as session:
        uri = session.open(tmp_path / "a.py", "x = foo\n")
        session.change(uri, 2, edit((0, 6), (0, 7), ""))
        assert (await session.complete(uri, 0, 6)).items


async def test_on_demand_only(editor, service, tmp_path):
    async with editor(options={"automatic": False}) as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4)).items == ()
        assert service.requests == []
        assert (await session.complete(uri, 0, 4, triggerKind=INVOKED)).items


async def test_off_by_language_glob_and_size(editor, service, tmp_path):
    settings = {
        "disabled_languages": ["markdown"], "disabled_globs": ["vendor/"], "max_file_bytes": 1000,
    }  # fmt: skip
    async with editor(options=settings) as session:
        for name, language, text, when_asked in (
            ("a.md", "markdown", "x", True),
            ("vendor/deep/a.py", "python", "x", True),
            ("big.py", "python", "x" * 1001, False),
            ("other.py", "python", "x", True),
        ):
            uri = session.open(tmp_path / name, text, language)
            assert bool((await session.complete(uri, 0, 1)).items) is (name == "other.py"), name
            asked = await session.complete(uri, 0, 1, triggerKind=INVOKED)
            assert bool(asked.items) is when_asked, name


async def test_one_emoji_kills_the_rest_of_the_file(editor, service, tmp_path):
    """Every position behind the first emoji, in the units that most editors count."""
    lines = ["# 😋 größe", "name = '👨‍👩‍👧' + f(", "漢字 = 1"]
    async with editor(encodings=["utf-16"]) as session:
        uri = session.open(tmp_path / "a.py", "\n".join(lines))
        for number, line in enumerate(lines):
            for column in range(len(line) + 1):
                units = len(line[:column].encode("utf-16-le")) // 2
                shown = await session.complete(uri, number, units)
                before = "\n".join([*lines[:number], line[:column]])
                assert service.requests[-1].document.prefix == before.encode()
                where = {"line": number, "character": units}
                assert shown.items[0]["range"] == {"start": where, "end": where}


@pytest.mark.parametrize("encoding", Encoding)
def test_a_column_out_of_range_panics(encoding):
    content = LineText("a😋\r\nb")
    for line in (0, 1, 2, 2**31 - 1):
        for character in (0, 3, 5, 99, 2**31 - 1):
            place = content.locate(types.Position(line, character), encoding)
            assert content.before(*place) + content.after(*place) == content.text
