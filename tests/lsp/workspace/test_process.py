"""Through `caret lsp`: what requests say of their workspace, and how it begins and ends."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import psutil
import pytest

from lsp.session import LspSession, lsp_command
from tests.lsp.context.workspace import write


@pytest.fixture
def editor_of(keeper, tmp_path):
    """Start `caret lsp` before the keeper; the workspace is ``tmp_path / "root"``."""

    @contextlib.asynccontextmanager
    async def start(**initialize):
        environment = {
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        }
        command = lsp_command("--server", keeper.address, "--log-level", "debug")
        async with LspSession(command, environment=environment) as session:
            await session.initialize(tmp_path / "root", **initialize)
            await session.ready()
            yield session

    return start


async def test_a_request_names_its_workspace_and_its_path_there(editor_of, keeper, tmp_path):
    root = write(tmp_path / "root", {"pkg/a.py": "a = 1\n", "pkg/b.py": "b = 1\n"})
    (root / "link.py").symlink_to("pkg/a.py")
    files = {"pkg/a.py": "a = 1\n", "pkg/b.py": "b = 1\n"}
    async with editor_of() as session:
        await keeper.has(files)
        (workspace_id,) = keeper.workspaces
        uri = session.open(root / "link.py", "a = 2\nx = \n")
        await session.complete(uri, 1, 4)
        await keeper.has({**files, "pkg/a.py": "a = 2\nx = \n"})
        where = {"line": 1, "character": 4}
        session.change(uri, 2, {"range": {"start": where, "end": where}, "text": "a"})
        await keeper.has({**files, "pkg/a.py": "a = 2\nx = a\n"})
        outside = session.open(tmp_path / "outside.py", "x = \n")
        await session.complete(outside, 0, 4)
        session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        await keeper.has(files)
        inside, out = keeper.requests
        assert (inside.workspace_id, inside.document.path) == (workspace_id, "pkg/a.py")
        assert (out.workspace_id, out.document.path) == ("", "outside.py")
        assert await session.shutdown() == 0
    assert keeper.closed == [workspace_id] and not keeper.workspaces


async def test_a_folder_that_is_closed_is_forgotten_and_one_that_is_opened_is_sent(
    editor_of, keeper, tmp_path
):
    write(tmp_path / "root", {"a.py": "a\n"})
    other = write(tmp_path / "other", {"b.py": "b\n"})
    async with editor_of() as session:
        await keeper.has({"a.py": "a\n"})
        (first,) = keeper.workspaces
        event = {"added": [{"uri": other.as_uri(), "name": "other"}], "removed": []}
        session.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        await keeper.until(lambda keeper: keeper.closed == [first])
        await keeper.has({"b.py": "b\n"})
        uri = session.open(other / "b.py", "b\n")
        await session.complete(uri, 1, 0)
        assert keeper.requests[0].workspace_id in keeper.workspaces


async def test_two_language_servers_have_a_workspace_each(editor_of, keeper, tmp_path):
    write(tmp_path / "root", {"a.py": "a\n"})
    async with editor_of(), editor_of():
        await keeper.until(lambda keeper: len(keeper.workspaces) == 2)
        await keeper.until(
            lambda keeper: all(one.texts == {"a.py": b"a\n"} for one in keeper.workspaces.values())
        )


async def test_an_older_server_is_asked_for_completions_alone(editor, service, tmp_path):
    write(tmp_path, {"a.py": "a\n"})
    async with editor() as session:
        while b"keeps no workspaces" not in session.stderr:
            await asyncio.sleep(0.01)
        uri = session.open(tmp_path / "b.py", "x = \n")
        assert (await session.complete(uri, 0, 4)).text == "done"
        assert service.requests[0].workspace_id == ""
        assert not [m for m in session.notifications if m["method"] == "window/showMessage"]
        await session.shutdown()
    assert session.stderr.count(b"keeps no workspaces") == 1
    assert b"ERROR" not in session.stderr and b"WARNING" not in session.stderr


async def test_a_server_that_never_answers_holds_up_neither_typing_nor_the_end(
    editor_of, keeper, tmp_path
):
    write(tmp_path / "root", {f"m{n}.py": "x = 1\n" for n in range(100)})
    keeper.acks.clear()
    async with editor_of() as session:
        await keeper.until(lambda keeper: keeper.received or keeper.unanswered)
        uri = session.open(tmp_path / "root" / "a.py", "x = \n")
        for n in range(50):
            where = {"line": 0, "character": 4 + n}
            session.change(uri, 2 + n, {"range": {"start": where, "end": where}, "text": "n"})
            assert (await session.complete(uri, 0, 5 + n)).text == "done"
        assert await session.shutdown() == 0


async def test_nothing_of_the_workspace_is_logged(editor_of, keeper, tmp_path):
    write(tmp_path / "root", {"correcthorse.py": "batterystaple = 1\n"})
    keeper.refuses = lambda path, text: "too large"
    async with editor_of() as session:
        await keeper.until(lambda keeper: keeper.received)
        await session.shutdown()
    assert b"workspace" in session.stderr
    assert b"batterystaple" not in session.stderr and b"correcthorse" not in session.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="bytes that a process has read")
async def test_one_generated_file_of_50_mb_is_neither_read_nor_sent(editor_of, keeper, tmp_path):
    """At default settings; the editor is answered, and what is written beside the file arrives."""
    size = 50 << 20
    root = tmp_path / "root"
    root.mkdir()
    with (root / "generated.py").open("wb") as file:
        for _ in range(size >> 20):
            file.write(b"TABLE_OF_NUMBERS = 0x5f3759df, 1\n" * (1 << 15))
    assert (root / "generated.py").stat().st_size > size

    def told(path):
        return {"uri": (root / path).as_uri(), "type": 2}

    async with editor_of() as session:
        uri = session.open(root / "a.py", "x = \n")
        for n in range(20):
            where = {"line": 0, "character": 4 + n}
            session.change(uri, 2 + n, {"range": {"start": where, "end": where}, "text": "n"})
            assert (await session.complete(uri, 0, 5 + n)).text == "done"
        texts = {"a.py": f"x = {'n' * 20}\n"}
        await keeper.has(texts)
        for n in range(3):  # a pass is over, and the file is told of again and again
            write(root, {f"b{n}.py": f"b = {n}\n"})
            session.notify(
                "workspace/didChangeWatchedFiles",
                {"changes": [told("generated.py"), told(f"b{n}.py")]},
            )
            texts[f"b{n}.py"] = f"b = {n}\n"
            await keeper.has(texts)
        process = psutil.Process(session.process.pid)
        read = sum(
            one.io_counters().read_chars for one in (process, *process.children(recursive=True))
        )
        print(f"{read / 1e6:.1f} MB read")
        assert read < size
        assert await session.shutdown() == 0
    assert set(keeper.received) == set(texts)
    assert sum(map(len, keeper.ever)) < 1000
    assert all(request.ByteSize() < 10_000 for request in keeper.requests)
