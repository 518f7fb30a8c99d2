"""Begin and end of a session, and clients that break the protocol."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from completion.wire.environment import child_environment
from lsp.server import VERSION
from lsp.session import LspSession, RefusedError, lsp_command

INVALID_REQUEST, INVALID_PARAMS, NOT_FOUND = -32600, -32602, -32601
NOT_INITIALIZED, PARSE_ERROR = -32002, -32700


def shown(session) -> list[dict]:
    return [m["params"] for m in session.notifications if m["method"] == "window/showMessage"]


def test_importing_the_server_loads_nothing_heavy():
    code = (
        "import sys, json, lsp.server, lsp.stdio, lsp.command;"
        "print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], env=child_environment(), capture_output=True, check=True
    )
    loaded = set(json.loads(found.stdout))
    assert not loaded & {"torch", "transformers", "vllm", "numpy", "tokenizers", "rich"}
    assert "grpc" not in loaded, "initialize waits for nothing that it does not need"


async def test_initialize_waits_for_no_server(tmp_path):
    """A service that takes connections and never says a word: the editor starts all the same."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        async with LspSession(lsp_command("--server", f"unix:{tmp_path / 'silent'}")) as session:
            await session.initialize()
            assert await session.shutdown() == 0


def test_the_version_told_to_editors_is_the_projects():
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == VERSION


async def test_shutdown_and_exit_end_with_status_0(editor):
    async with editor() as session:
        assert session.capabilities["serverInfo"]["name"] == "caret"
        assert session.capabilities["capabilities"]["inlineCompletionProvider"] == {}
        assert await session.shutdown() == 0


async def test_exit_without_shutdown_ends_with_status_1(editor):
    async with editor() as session:
        session.notify("exit", None)
        assert await session.process.wait() == 1


async def test_a_client_that_dies_takes_the_server_with_it(editor):
    async with editor() as session:
        session.process.stdin.close()
        assert await session.process.wait() == 1


async def test_sigterm_ends_the_session_in_order(editor):
    async with editor() as session:
        session.process.terminate()
        assert await session.process.wait() == 1


async def test_requests_outside_the_session_get_the_errors_of_the_specification(service):
    async with LspSession(lsp_command("--server", service.address)) as session:
        with pytest.raises(RefusedError) as early:
            await session.request("textDocument/inlineCompletion", {})
        assert early.value.code == NOT_INITIALIZED
        await session.initialize()
        await session.request("shutdown", None)
        with pytest.raises(RefusedError) as late:
            await session.request("textDocument/inlineCompletion", {})
        assert late.value.code == INVALID_REQUEST


@pytest.mark.parametrize(
    "params",
    [
        {},
        None,
        [],
        {"textDocument": {"uri": 5}, "position": {"line": 0, "character": 0}, "context": {}},
        {
            "textDocument": {"uri": "file:///a"},
            "position": {"line": -1, "character": 0},
            "context": {"triggerKind": 2},
        },
        {
            "textDocument": {"uri": "file:///a"},
            "position": {"line": 0, "character": 0},
            "context": {"triggerKind": 9},
        },
    ],
    ids=["empty", "null", "list", "types", "negative", "enum"],
)
async def test_a_request_that_does_not_decode_is_answered_without_a_popup(editor, params):
    async with editor() as session:
        number, answer = session.send("textDocument/inlineCompletion", params)
        assert (await answer)["error"]["code"] == INVALID_PARAMS
        with pytest.raises(RefusedError) as unknown:
            await session.request("no/such", params)
        assert unknown.value.code == NOT_FOUND
        session.notify("textDocument/didChange", params)
        session.notify("no/such", params)
        session.notify("$/cancelRequest", {"id": "none"})
        assert await session.shutdown() == 0
        assert len(session.responses[number]) == 1
        assert not shown(session)


async def test_malformed_messages_are_answered_and_the_session_goes_on(editor, tmp_path):
    async with editor() as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        for nonsense in (
            b"Content-Length: 5\r\n\r\n{bad}",
            b"Content-Length: many\r\n\r\n{}",
            b"Content-Length: 2\r\n\r\n[]",
            b"no header at all\r\n\r\n",
        ):
            session.write(nonsense)
            assert (await session.complete(uri, 0, 4)).text == "done"
        assert {m["error"]["code"] for m in session.responses[None]} == {PARSE_ERROR}
        assert not shown(session)
        assert await session.shutdown() == 0


async def test_a_service_out_of_reach_is_said_once_and_never_waited_for(tmp_path):
    command = lsp_command("--server", f"unix:{tmp_path / 'nobody'}")
    async with LspSession(command) as session:
        await session.initialize()
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4)).items == ()
        await session.notification(lambda m: m["method"] == "window/showMessage")
        assert (await session.complete(uri, 0, 4)).items == ()
        (message,) = shown(session)
        assert message["type"] == 1
        assert "caret serve" in message["message"] and "caret doctor" in message["message"]
        end = await session.notification(
            lambda m: m["method"] == "$/progress" and m["params"]["value"]["kind"] == "end"
        )
        assert end["params"]["value"]["message"] == "failed"


async def test_a_service_that_comes_back_is_used_again(editor, service, tmp_path):
    async with editor(always_ask=True) as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4)).text == "done"
        await service.stop()
        place = {"line": 0, "character": 4}  # another text, so that no answer on its way is its own
        session.change(uri, 2, {"range": {"start": place, "end": place}, "text": "y"})
        assert (await session.complete(uri, 0, 5)).items == ()
        await service.start()
        seen = len(session.notifications)
        await session.notification(
            lambda m: (
                m in session.notifications[seen:]
                and m["method"] == "$/progress"
                and m["params"]["value"]["kind"] == "end"
            )
        )
        assert (await session.complete(uri, 0, 5)).text == "done"


@pytest.mark.parametrize("flags", [["--server", "nonsense"], ["--log-level", "loud"]])
def test_a_wrong_flag_is_one_line_and_status_2(flags):
    done = subprocess.run(
        lsp_command(*flags), env=child_environment(), capture_output=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
