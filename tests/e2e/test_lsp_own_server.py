"""`caret lsp --own-server` and its `caret serve` (the fake engine): started, used, killed, ended."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import psutil
import pytest

from completion.errors import CaretError
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as pb_grpc
from completion.wire.environment import child_environment
from completion.wire.own_server import OwnServer, last_error
from lsp.session import LspSession, inline, lsp_command

pytestmark = pytest.mark.e2e

FAKE = ("--engine", "fake")
LONG = "600000"


def editor(*serve: str, tmp_path: Path, timeout_ms: str = LONG) -> LspSession:
    words = ["--own-server", *(f"--serve-arg={word}" for word in (*FAKE, *serve))]
    environment = {
        "CARET_CLIENT_TIMEOUT_MS": timeout_ms,
        "XDG_CONFIG_HOME": str(tmp_path / "none"),
    }
    return LspSession(lsp_command(*words), environment=environment)


def wait_gone(pid: int, seconds: float = 30) -> bool:
    """Wait until a process that may not be ours has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def servers(session: LspSession) -> list[psutil.Process]:
    children = psutil.Process(session.process.pid).children()
    return [child for child in children if "serve" in child.cmdline()]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def engine_running(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        found = re.search(r"^caret_engine_running (\d+)", page.read().decode(), re.MULTILINE)
    assert found, "no such gauge"
    return int(found[1])


async def engine_reaches(port: int, count: int) -> None:
    async with asyncio.timeout(30):
        while await asyncio.to_thread(engine_running, port) != count:
            await asyncio.sleep(0)


async def test_it_serves_from_a_private_folder_and_leaves_nothing():
    stages: list[str] = []
    async with OwnServer(extra_args=FAKE, on_stage=stages.append) as server:
        folder = Path(server.address.path).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        channel = server.channel()
        document = pb.Document(path="a.py", language_id="python", prefix=b"x = ", suffix=b"\n")
        stub = pb_grpc.CompletionServiceStub(channel)
        await stub.Complete(pb.CompleteRequest(document=document))
        await channel.close()
        pid = server.pid
    assert stages == ["starting", "loading the model", "serving"]
    assert not folder.exists()
    assert wait_gone(pid)


async def test_two_stand_side_by_side_whatever_metrics_address_is_configured(monkeypatch):
    monkeypatch.setenv("CARET_SERVER_METRICS", f"127.0.0.1:{free_port()}")
    async with OwnServer(extra_args=FAKE) as one, OwnServer(extra_args=FAKE) as other:
        assert one.pid != other.pid


async def test_one_that_cannot_start_says_why_in_one_line():
    with pytest.raises(CaretError) as caught:
        async with OwnServer(extra_args=["--engine", "nonsense"]):
            pass
    assert caught.value.message.startswith("the completion server stopped: ")
    assert "nonsense" in caught.value.message
    assert "\n" not in caught.value.message


async def test_no_room_for_its_socket_is_said_in_one_line(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(CaretError, match=r"cannot be started .No space left"):
        async with OwnServer(extra_args=FAKE):
            pass


async def test_it_ends_when_its_parent_is_killed():
    code = (
        "import asyncio\n"
        "from completion.wire.own_server import OwnServer\n"
        "async def main():\n"
        "    async with OwnServer(extra_args=['--engine', 'fake']) as server:\n"
        "        print(server.pid, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen(  # noqa: ASYNC220 - it is killed, which asyncio would tidy up
        [sys.executable, "-c", code], env=child_environment(), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert await asyncio.to_thread(wait_gone, pid)


async def test_a_package_of_the_same_name_in_the_workspace_is_never_run(tmp_path, monkeypatch):
    (tmp_path / "completion").mkdir()
    (tmp_path / "completion" / "__init__.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    async with OwnServer(extra_args=FAKE):
        pass


def test_the_last_error_is_found_in_any_kind_of_log():
    logged = [
        '{"level": "info", "event": "loading"}',
        '{"level": "error", "event": "no such model"}',
        '{"level": "info", "event": "bye"}',
    ]
    assert last_error(logged) == "no such model"
    assert (
        last_error(["Traceback (most recent call last):", "  File x", "OSError: full"])
        == "OSError: full"
    )
    assert last_error(["caret serve: no such model", "Triton is installed."]) == "no such model"
    assert last_error(['{"level": "info", "event": "bye"}']) == ""


async def test_the_language_server_answers_from_a_server_of_its_own(tmp_path):
    async with editor(tmp_path=tmp_path) as session:
        await session.initialize(tmp_path)
        uri = session.open(tmp_path / "a.py", "def f():\n    return ")
        assert (await session.complete(uri, 1, 11)).items == (), "not loaded yet: empty at once"
        await session.ready()
        assert (await session.complete(uri, 1, 11)).items
        (server,) = servers(session)
        assert await session.shutdown() == 0
        assert wait_gone(server.pid)


async def test_closing_the_editors_pipe_ends_both(tmp_path):
    async with editor(tmp_path=tmp_path) as session:
        await session.initialize(tmp_path)
        await session.ready()
        (server,) = servers(session)
        session.process.stdin.close()
        assert await session.process.wait() == 1
        assert wait_gone(server.pid)


async def test_a_server_killed_in_mid_answer_is_answered_for_and_replaced(tmp_path):
    port = free_port()
    metrics = ("--metrics", f"127.0.0.1:{port}", "--fake-delay-ms", "5000")
    async with editor(*metrics, tmp_path=tmp_path) as session:
        await session.initialize(tmp_path)
        await session.ready()
        uri = session.open(tmp_path / "a.py", "x = ")
        _, answer = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
        await engine_reaches(port, 1)
        (server,) = servers(session)
        seen = len(session.notifications)
        os.kill(server.pid, signal.SIGKILL)
        assert (await answer)["result"] == {"items": []}
        await session.notification(
            lambda m: (
                m in session.notifications[seen:]
                and m["method"] == "$/progress"
                and m["params"]["value"]["kind"] == "end"
            )
        )
        (replaced,) = servers(session)
        assert replaced.pid != server.pid
        session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
        await engine_reaches(port, 1)
        shown = [m["params"] for m in session.notifications if m["method"] == "window/showMessage"]
        assert len(shown) == 1 and "stopped" in shown[0]["message"]


async def test_a_server_that_cannot_start_is_said_once_with_what_to_do(tmp_path):
    command = lsp_command("--own-server", "--serve-arg=--engine", "--serve-arg=nonsense")
    async with LspSession(command) as session:
        await session.initialize(tmp_path)
        with pytest.raises(CaretError) as caught:
            await session.ready()
        assert "caret doctor" in caught.value.message
        uri = session.open(tmp_path / "a.py", "x = ")
        assert (await session.complete(uri, 0, 4)).items == ()


async def test_a_cancel_frees_the_engine(tmp_path):
    port = free_port()
    slow = ("--metrics", f"127.0.0.1:{port}", "--fake-delay-ms", "5000")
    async with editor(*slow, tmp_path=tmp_path) as session:
        await session.initialize(tmp_path)
        await session.ready()
        uri = session.open(tmp_path / "a.py", "x = ")
        number, answer = session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
        await engine_reaches(port, 1)
        session.cancel(number)
        assert (await answer)["error"]["code"] == -32800
        await engine_reaches(port, 0)


async def test_a_thousand_rapid_requests_leave_the_engine_idle_each_answered_once(tmp_path):
    port = free_port()
    slow = ("--metrics", f"127.0.0.1:{port}", "--fake-delay-ms", "20")
    async with editor(*slow, tmp_path=tmp_path) as session:
        await session.initialize(tmp_path)
        await session.ready()
        uris = [session.open(tmp_path / f"{n}.py", "x = ") for n in range(4)]
        sent = {}
        for number in range(1000):
            params = inline(uris[number % 4], 0, 4)
            ident, answer = session.send("textDocument/inlineCompletion", params)
            sent[ident] = answer
            if number % 3 == 0:
                session.cancel(ident)
            if number % 50 == 0:
                await session.process.stdin.drain()
        await asyncio.gather(*sent.values())
        await engine_reaches(port, 0)
        assert await session.shutdown() == 0
        assert {len(session.responses[ident]) for ident in sent} == {1}
