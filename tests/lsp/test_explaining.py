"""`caret/explain`, `caret/silence` and `caret/status`, over a real `caret lsp`."""

import pytest

from lsp.session import RefusedError


def place(uri: str, line: int = 0, character: int = 0) -> dict:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


async def test_an_explanation_asks_what_a_suggestion_would_and_says_what_came(
    editor, service, tmp_path
):
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = 1\ny = ")
        told = await session.request("caret/explain", place(uri, 1, 4))
        assert told["markdown"].startswith("# a.py, line 2, column 5\n")
        asked = service.requests[-1]
        assert asked.document.prefix == b"x = 1\ny = "
        assert "## Suggested" in told["markdown"]


async def test_a_secret_is_explained_without_being_sent(editor, service, tmp_path):
    async with editor() as session:
        uri = session.open(tmp_path / ".env", "KEY=")
        told = await session.request("caret/explain", place(uri, 0, 4))
        assert "may hold a secret" in told["markdown"]
        assert service.requests == []


@pytest.mark.parametrize("method", ["caret/explain", "caret/silence"])
@pytest.mark.parametrize(
    "params",
    [None, {}, [], {"textDocument": 3}, {"textDocument": {"uri": 3}, "position": None},
     {"textDocument": {"uri": "file:///absent.py"}, "position": {"line": -1, "character": "x"}}],
)  # fmt: skip
async def test_malformed_ones_are_answered(editor, tmp_path, method, params):
    async with editor() as session:
        try:
            assert set(await session.request(method, params)) <= {"markdown", "reason"}
        except RefusedError as error:
            assert error.code in (-32600, -32602)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, ""),
        ({"enabled": False}, "disabled"),
        ({"automatic": False}, "on_demand"),
        ({"disabled_languages": ["python"]}, "language"),
        ({"disabled_globs": ["/a.py"]}, "glob"),
        ({"max_file_bytes": 3}, "size"),
        ({"min_line_chars": 9}, ""),
    ],
)
async def test_silence_names_what_holds_for_the_whole_document(editor, tmp_path, settings, reason):
    async with editor(options=settings) as session:
        uri = session.open(tmp_path / "a.py", "x = 1\ny = ")
        assert await session.request("caret/silence", place(uri)) == {"reason": reason}


async def test_an_ignored_file_is_silent(editor, tmp_path):
    (tmp_path / ".caretignore").write_text("a.py\n")
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "y = ")
        assert await session.request("caret/silence", place(uri)) == {"reason": "ignored"}


async def test_status_is_told_to_those_who_ask_for_it(editor):
    for wants in (True, False):
        async with editor(capabilities={"experimental": {"caretStatus": wants}}) as session:
            stages = [
                m["params"]["stage"] for m in session.notifications if m["method"] == "caret/status"
            ]
            assert stages == (["loading", "ready"] if wants else [])
