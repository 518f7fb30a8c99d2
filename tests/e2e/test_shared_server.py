"""One `caret serve` for all editors of a user, as processes: shared, killed, raced for, left idle."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from completion.wire.environment import child_environment
from completion.wire.shared_server import SharedServer
from lsp.session import LspSession, lsp_command

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="unix sockets and flock"),
]

SECRET = "hunter2_of_the_user"


class User:
    """One user's folders: editors with the same share, servers are found by their socket's folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.run = home / "run"
        self.run.mkdir(mode=0o700)
        self.project = home / "project"
        self.project.mkdir()
        self.environment = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(self.run),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "CARET_CLIENT_TIMEOUT_MS": "600000",
        }

    @contextlib.asynccontextmanager
    async def editor(
        self, *serve: str, ready: bool = True, **environment: str
    ) -> AsyncIterator[LspSession]:
        words = [f"--serve-arg={word}" for word in ("--engine", "fake", *serve)]
        changed = {**self.environment, **environment}
        async with LspSession(lsp_command(*words), environment=changed) as session:
            await session.initialize(self.project)
            if ready:
                await session.ready()
            yield session

    def servers(self) -> list[psutil.Process]:
        """Processes of `caret serve` that this user has."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if "serve" in words and f"unix:{self.run}" in " ".join(words):
                    found.append(process)
        return found

    def starts(self) -> int:
        """How many servers ever got so far as to listen."""
        logs = (self.home / "state" / "caret").glob("serve-*.log")
        return sum(log.read_text().count('"event": "listening"') for log in logs)


@pytest.fixture
def user() -> Iterator[User]:
    home = Path(tempfile.mkdtemp(prefix="c-"))  # short: a socket's path has 107 bytes
    one = User(home)
    yield one
    for process in one.servers():
        process.kill()
        process.wait()
    shutil.rmtree(home)


async def gone(process: psutil.Process) -> None:
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    await asyncio.to_thread(select.select, [handle], [], [], 60)
    os.close(handle)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def shows(session: LspSession, folder: Path) -> bool:
    uri = session.open(folder / f"a{session.process.pid}.py", f"{SECRET} = ")
    return bool((await session.complete(uri, 0, len(SECRET) + 3)).items)


async def loaded_again(session: LspSession, seen: int) -> None:
    """Wait for the end of a loading that began after `seen` notifications."""
    await session.notification(
        lambda m: (
            m in session.notifications[seen:]
            and m["method"] == "$/progress"
            and m["params"]["value"]["kind"] == "end"
        )
    )


async def test_two_editors_share_one_process_that_outlives_the_one_who_started_it(user):
    async with user.editor() as first, user.editor() as second:
        (server,) = user.servers()
        assert await shows(first, user.project) and await shows(second, user.project)
        assert await first.shutdown() == 0
        assert await shows(second, user.project)
        assert user.servers() == [server]
    assert user.starts() == 1


async def test_editors_that_start_at_the_same_instant_start_one(user):
    async with contextlib.AsyncExitStack() as stack:
        editors = [await stack.enter_async_context(user.editor(ready=False)) for _ in range(4)]
        await asyncio.gather(*(editor.ready() for editor in editors))
        assert len(user.servers()) == 1
        assert user.starts() == 1
        assert all([await shows(editor, user.project) for editor in editors])


async def test_after_a_kill_both_come_back_to_one(user):
    async with user.editor() as first, user.editor() as second:
        (server,) = user.servers()
        seen = [len(editor.notifications) for editor in (first, second)]
        server.send_signal(signal.SIGKILL)
        await asyncio.gather(loaded_again(first, seen[0]), loaded_again(second, seen[1]))
        (after,) = user.servers()
        assert after.pid != server.pid
        assert user.starts() == 2
        assert await shows(first, user.project) and await shows(second, user.project)
        for editor in (first, second):
            shown = [m["params"] for m in editor.notifications if "showMessage" in m["method"]]
            assert len(shown) == 1 and "started again" in shown[0]["message"]


async def test_when_it_is_asked_to_end_both_come_back_to_one_while_it_still_drains(user):
    slow = ("--fake-delay-ms", "300", "--drain-seconds", "600")
    async with user.editor(*slow) as first, user.editor(*slow) as second:
        (server,) = user.servers()
        seen = [len(editor.notifications) for editor in (first, second)]
        uri = first.open(user.project / "a.py", "x = ")
        asked = asyncio.create_task(first.complete(uri, 0, 4))
        await asyncio.sleep(0)
        server.send_signal(signal.SIGTERM)
        await asyncio.gather(loaded_again(first, seen[0]), loaded_again(second, seen[1]))
        await asked
        await gone(server)
        assert len(user.servers()) == 1
        assert user.starts() == 2
        assert await shows(first, user.project) and await shows(second, user.project)


async def test_many_clients_that_lose_it_again_and_again_have_one_each_time(user, monkeypatch):
    for name, value in user.environment.items():
        monkeypatch.setenv(name, value)
    clients = [
        SharedServer(identity=["test"], idle_s=600, extra_args=["--engine", "fake"])
        for _ in range(8)
    ]
    for number in range(1, 4):
        await asyncio.gather(*(client.start() for client in clients))
        (server,) = user.servers()
        assert user.starts() == number
        assert {client.pid for client in clients} == {server.pid}
        server.kill()
        reasons = await asyncio.gather(*(client.wait_ended() for client in clients))
        assert all(reason.startswith("the completion server stopped: ") for reason in reasons)
        assert sum("signal 9" in reason for reason in reasons) <= 1, "whoever started it knows"
    for client in clients:
        await client.stop()


async def test_an_editor_killed_while_its_server_starts_leaves_it_to_the_next(user):
    async with user.editor(ready=False) as first:
        while not user.servers():
            await asyncio.sleep(0.005)
        first.process.kill()
        async with user.editor() as second:
            assert await shows(second, user.project)
            assert user.starts() == 1
            assert len(user.servers()) == 1


async def test_whoever_is_killed_with_the_lock_in_hand_holds_nobody_up(user):
    async with user.editor():
        pass  # now the lock's name is known
    (server,) = user.servers()
    server.kill()
    await gone(server)
    (lock,) = (user.run / "caret").glob("*.lock")
    code = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(  # noqa: ASYNC220 - it is killed, which asyncio would tidy up
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    await asyncio.to_thread(holder.stdout.readline)
    async with user.editor(ready=False) as editor:
        while not any(m["method"] == "$/progress" for m in editor.notifications):
            await asyncio.sleep(0.01)
        assert user.servers() == []
        holder.kill()
        await editor.ready()
        assert len(user.servers()) == 1
    holder.communicate()


async def test_a_socket_that_a_killed_server_left_is_no_obstacle(user):
    async with user.editor():
        pass
    (server,) = user.servers()
    server.kill()
    await gone(server)
    assert list((user.run / "caret").glob("*.sock"))
    async with user.editor() as editor:
        assert await shows(editor, user.project)


async def test_it_ends_when_the_last_editor_is_gone_and_not_before(user):
    idle = {"CARET_CLIENT_IDLE_MINUTES": "0.05"}
    async with user.editor(**idle) as first:
        async with user.editor(**idle):
            (server,) = user.servers()
        # Longer than the idle time without a word from the editor that is left.
        await asyncio.sleep(4)
        assert user.servers() == [server]
        assert await shows(first, user.project)
    await gone(server)
    assert not list((user.run / "caret").glob("*.sock"))
    log = next((user.home / "state" / "caret").glob("serve-*.log")).read_text()
    assert '"event": "idle"' in log and '"event": "stopped"' in log


async def test_editors_with_different_options_have_different_servers(user):
    async with user.editor() as first, user.editor("--max-running", "3") as second:
        assert len(user.servers()) == 2
        assert await shows(first, user.project) and await shows(second, user.project)


async def test_nobody_else_can_get_at_it_and_its_log_holds_no_text(user):
    async with user.editor() as editor:
        assert await shows(editor, user.project)
        for path in (user.run / "caret", *(user.run / "caret").iterdir()):
            assert not path.stat().st_mode & 0o077, path
    (log,) = (user.home / "state" / "caret").glob("serve-*.log")
    assert not log.stat().st_mode & 0o077
    assert SECRET not in log.read_text()


async def test_where_no_folder_can_be_had_the_editor_says_so_and_has_its_own(user, tmp_path):
    (tmp_path / "file").touch()
    nowhere = {"XDG_RUNTIME_DIR": "/nonexistent", "XDG_CACHE_HOME": str(tmp_path / "file")}
    async with user.editor(**nowhere) as editor:
        assert await shows(editor, user.project)
        shown = [m["params"]["message"] for m in editor.notifications if "showM" in m["method"]]
        (said,) = [text for text in shown if "server of its own" in text]
        assert str(tmp_path / "file") in said and "\n" not in said
        (own,) = [
            child
            for child in psutil.Process(editor.process.pid).children()
            if "serve" in child.cmdline()
        ]
    await gone(own)


async def test_one_that_cannot_start_is_said_once_in_one_line(user):
    async with user.editor("--engine", "nonsense", ready=False) as editor:
        message = await editor.notification(
            lambda m: m["method"] == "window/showMessage" and m["params"]["type"] == 1
        )
        text = message["params"]["message"]
        assert "nonsense" in text and "caret doctor" in text and "\n" not in text


async def test_a_package_of_the_same_name_in_the_workspace_is_never_run(user):
    (user.project / "completion").mkdir()
    (user.project / "completion" / "__init__.py").write_text("raise SystemExit('hijacked')")
    words = lsp_command("--serve-arg=--engine", "--serve-arg=fake")
    script = "import os, sys; os.chdir(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"
    command = [sys.executable, "-c", script, str(user.project), *words]
    environment = {**child_environment(), **user.environment}
    async with LspSession(command, environment=environment) as session:
        await session.initialize(user.project)
        await session.ready()
        assert await shows(session, user.project)
