"""Through `caret lsp`: secrets and ignored files never reach a request, whatever is open (G10)."""

from __future__ import annotations

import asyncio
from pathlib import Path

KEY = "AK" + "IA" + "Q3EGZ5T7WXN2K4LB"
WORD = "correcthorse"


async def typed(session, uri: str, line: int, character: int, version: int) -> None:
    """Type a character and ask, so that what is gathered in the background has come along."""
    where = {"line": line, "character": character}
    session.change(uri, version, {"range": {"start": where, "end": where}, "text": "n"})
    await session.complete(uri, line, character + 1)


async def test_a_dotenv_in_another_tab_never_reaches_a_prompt(editor, service, tmp_path: Path):
    (tmp_path / ".env").write_text(f"DB_PASSWORD={WORD}\n")
    (tmp_path / "settings.py").write_text(
        f"TOKEN = '{KEY}'\ndef read_settings():\n    return {{}}\n"
    )
    async with editor() as session:
        # what is like the cursor's lines in an open file goes along, if it may
        alike = f"DB_PASSWORD={WORD}\nimport settings\nx = settings.read_settings(1)\n"
        session.open(tmp_path / ".env", alike, "dotenv")
        session.open(tmp_path / "notes.txt", alike.replace(WORD, "none"), "plaintext")
        session.open(tmp_path / "settings.py", (tmp_path / "settings.py").read_text())
        line = "x = settings.read_settings("
        uri = session.open(tmp_path / "main.py", f"import settings\n\n{line}\n")
        for n in range(200):
            await typed(session, uri, 2, len(line) + n, 2 + n)
            sent = b"".join(request.SerializeToString() for request in service.requests)
            if b"def read_settings" in sent and b"notes.txt" in sent:
                break
            await asyncio.sleep(0.1)
        assert b"def read_settings" in sent, "context of other files has come along"
        assert b"notes.txt" in sent, "and so would the same text from a file that is no secret"
        assert WORD.encode() not in sent and KEY.encode() not in sent and b".env" not in sent


async def test_nothing_is_suggested_in_a_file_that_is_secret_or_ignored(editor, service, tmp_path):
    (tmp_path / ".gitignore").write_text("local.py\n")
    (tmp_path / ".caretignore").write_text("private/\n")
    async with editor() as session:
        for name in (".env", "server.pem", "local.py", "private/p.py"):
            uri = session.open(tmp_path / name, "A=1\nB=")
            shown = await session.complete(uri, 1, 2)
            assert shown.items == (), name
        assert service.requests == []


async def test_a_key_in_the_current_file_is_masked_and_the_rest_is_served(
    editor, service, tmp_path
):
    text = f"KEY = '{KEY}'\nprint(KEY)\nx = \nOTHER = '{KEY}'\n"
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", text)
        shown = await session.complete(uri, 2, 4)
        assert shown.text == "done"
        (request,) = service.requests
        document = request.document
        hidden = text.replace(KEY, "*" * len(KEY)).encode()
        assert document.prefix + document.suffix == hidden
        assert len(document.prefix) == text.index("x = ") + 4
        assert (await session.complete(uri, 0, 15)).items == ()
        assert (await session.complete(uri, 0, 7)).items == ()
        assert len(service.requests) == 1


async def test_a_key_that_is_pasted_is_masked_in_the_next_request(editor, service, tmp_path):
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "a = 1\nx = \n")
        await session.complete(uri, 1, 4)
        where = {"line": 0, "character": 0}
        session.change(
            uri, 2, {"range": {"start": where, "end": where}, "text": f"KEY = '{KEY}'\n" * 50}
        )
        shown = await session.complete(uri, 51, 4)
        assert shown.text == "done"
        sent = b"".join(request.SerializeToString() for request in service.requests)
        assert KEY.encode() not in sent and len(service.requests) == 2


async def test_source_and_ignore_files_are_watched_where_the_editor_can(editor, service, tmp_path):
    capability = {"didChangeWatchedFiles": {"dynamicRegistration": True}}
    async with editor(capabilities={"workspace": capability}) as session:
        for _ in range(100):
            asked = [m for m in session.requests if m["method"] == "client/registerCapability"]
            if asked:
                break
            await asyncio.sleep(0.05)
        (one,) = asked[0]["params"]["registrations"]
        assert one["method"] == "workspace/didChangeWatchedFiles"
        globs = " ".join(w["globPattern"] for w in one["registerOptions"]["watchers"])
        assert "py" in globs and ".caretignore" in globs
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4)).items
        (tmp_path / ".caretignore").write_text("a.py\n")
        change = {"uri": (tmp_path / ".caretignore").as_uri(), "type": 1}
        session.notify("workspace/didChangeWatchedFiles", {"changes": [change]})
        assert (await session.complete(uri, 0, 4)).items == ()
