"""What breaks, broken: each request is answered or fails with a clear status, and all comes back.

Two editors that start at once are in test_shared_server.py, a server that drains in test_process.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

import completion
from completion.wire import completion_pb2 as pb
from completion.wire.environment import child_environment
from completion.wire.own_server import OwnServer
from lsp.feedback.messages import COMMAND, SHOWN
from lsp.feedback.store import read
from lsp.session import LspSession, inline, lsp_command
from tests.e2e.processes import (
    Line,
    ask,
    code_of,
    connected,
    engine_of,
    environment_of,
    integrity,
    lsp_before,
    served,
    serving_child,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and unix sockets"),
]

SOURCE = (Path(completion.__file__).parent / "server" / "admission.py").read_text()
ENGINE_DIED = "the completion server stopped: the engine process died"
BOX = """import os

class Box:
    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return """
"""Where any model has something to say."""
HOLDS_ALL = ("caret_requests_running", "caret_requests_waiting")


async def shown_again(session: LspSession, path: Path) -> int:
    """Ask until something is shown; returns how often that was in vain.

    The text is another one each time, so that nothing is served from memory, and there is one such
    document at a time: another that ends here would tell the workspace model that nothing follows.
    """
    uri = session.open(path, BOX)
    for number in itertools.count():
        session.change(uri, number + 2, {"text": f"# {number}\n{BOX}"})
        if (await session.complete(uri, BOX.count("\n") + 1, 15)).items:
            session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
            return number
        await asyncio.sleep(0.1)
    raise AssertionError


# Processes that are killed --------------------------------------------------------------------


@pytest.mark.engine
async def test_an_engine_killed_in_mid_answer_fails_its_requests_clearly_and_ends_its_server():
    async with OwnServer(extra_args=["--max-queued", "200"]) as own:
        async with connected(own.address) as stub:
            request = pb.CompleteRequest(
                document=pb.Document(path="a.py", prefix=SOURCE[:2000].encode()),
                options=pb.GenerationOptions(max_tokens=512, lines="LINES_MULTI"),
            )
            await stub.Complete(request)
            calls = [asyncio.ensure_future(stub.Complete(request)) for _ in range(40)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            engine_of(psutil.Process(own.pid)).kill()
            ends = Counter(map(code_of, await asyncio.gather(*calls, return_exceptions=True)))
            assert set(ends) <= {"OK", "UNAVAILABLE"}, ends
            assert ends["UNAVAILABLE"], "some were under way"
        assert (await own.wait_ended()).startswith(ENGINE_DIED)


@pytest.mark.engine
async def test_an_editor_whose_engine_is_killed_is_served_again_by_itself(tmp_path):
    environment = environment_of(tmp_path)
    async with LspSession(lsp_command("--own-server"), environment=environment) as session:
        await session.initialize(tmp_path)
        await session.ready()
        await shown_again(session, tmp_path / "before.py")
        before = serving_child(session)
        engine_of(before).kill()
        psutil.wait_procs([before], timeout=60)
        await shown_again(session, tmp_path / "after.py")
        assert serving_child(session).pid != before.pid
        said = [m["params"]["message"] for m in session.notifications if "showM" in m["method"]]
        (message,) = said
        assert message.startswith(f"Caret: {ENGINE_DIED}")
        assert message.endswith("it is being started again") and "\n" not in message


async def test_a_server_killed_again_and_again_is_started_again_and_again(tmp_path):
    words = lsp_command("--own-server", "--serve-arg=--engine", "--serve-arg=fake")
    async with LspSession(words, environment=environment_of(tmp_path)) as session:
        await session.initialize(tmp_path)
        await session.ready()
        for number in range(5):
            await shown_again(session, tmp_path / f"{number}.py")
            serving_child(session).kill()
        await shown_again(session, tmp_path / "last.py")


async def test_a_language_server_killed_in_mid_answer_frees_the_engine(tmp_path):
    async with (
        served(tmp_path, "--fake-delay-ms", "5000") as one,
        lsp_before(one.address, tmp_path, CARET_CLIENT_TIMEOUT_MS="600000") as session,
    ):
        await session.initialize(tmp_path)
        await session.ready()
        uri = session.open(tmp_path / "a.py", "x = ")
        session.send("textDocument/inlineCompletion", inline(uri, 0, 4))
        await one.reaches(1, "caret_engine_running")
        session.process.kill()
        await one.idle()


async def test_a_language_server_killed_while_it_writes_leaves_a_store_that_can_be_read(tmp_path):
    store = tmp_path / "state" / "caret" / "feedback.sqlite3"
    async with served(tmp_path) as one:
        kept = 0
        for number in range(4):
            async with lsp_before(one.address, tmp_path) as session:
                await session.initialize(tmp_path)
                await session.ready()
                for n in range(20):
                    uri = session.open(tmp_path / f"{number}_{n}.py", "x = ")
                    (item,) = (await session.complete(uri, 0, 4)).items
                    identity, candidate = item["command"]["arguments"]
                    about = {"completionId": identity, "candidate": candidate}
                    session.notify(SHOWN, {**about, "visibleMs": 900})
                    arguments = {"command": COMMAND, "arguments": [identity, candidate]}
                    await session.request("workspace/executeCommand", arguments)
                session.process.kill()
                await session.process.wait()
            assert integrity(tmp_path) == "ok"
            now = len(list(read(store)))
            assert now > kept, "the next one goes on in it"
            kept = now


# Load that is too much ------------------------------------------------------------------------


async def test_a_storm_of_deadlines_leaves_nothing_running(tmp_path):
    words = ("--fake-delay-ms", "5", "--max-queued", "1000")
    async with served(tmp_path, *words) as one, connected(one.address) as stub:
        for timeout_s in (0.001, 0.02):
            calls = [stub.Complete(ask(f"{n}.py"), timeout=timeout_s) for n in range(300)]
            ends = Counter(map(code_of, await asyncio.gather(*calls, return_exceptions=True)))
            assert set(ends) <= {"OK", "DEADLINE_EXCEEDED"}, ends
            assert ends["DEADLINE_EXCEEDED"]
            await one.idle()
        assert (await stub.Complete(ask())).candidates


async def test_what_the_queue_has_no_room_for_is_refused_at_once(tmp_path):
    words = ("--max-running", "2", "--max-queued", "3", "--fake-delay-ms", "600000")
    async with served(tmp_path, *words) as one, connected(one.address) as stub:
        calls = [asyncio.ensure_future(stub.Complete(ask(f"{n}.py"))) for n in range(20)]
        await one.reaches(5, *HOLDS_ALL)
        pending = set(calls)
        while len(pending) > 5:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            assert {code_of(call.exception()) for call in done} == {"RESOURCE_EXHAUSTED"}
        assert one.count("caret_requests_running") == 2
        for call in pending:
            call.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await one.idle()


async def until_refused(stub):
    """Ask on and on; return what the first request that was not answered ended with."""
    while True:
        (end,) = await asyncio.gather(stub.Complete(ask()), return_exceptions=True)
        if code_of(end) != "OK":
            return code_of(end)


async def test_sigterm_under_load_loses_no_request_that_was_accepted(tmp_path):
    words = ("--max-running", "3", "--max-queued", "100", "--fake-delay-ms", "10")
    async with served(tmp_path, *words, "--drain-seconds", "120") as one:
        async with connected(one.address) as stub, connected(one.address) as late:
            await late.GetModel(pb.GetModelRequest())  # it is connected
            calls = [asyncio.ensure_future(stub.Complete(ask(f"{n}.py"))) for n in range(40)]
            await one.reaches(40, *HOLDS_ALL)
            one.process.send_signal(signal.SIGTERM)
            ends = await asyncio.gather(*(until_refused(late) for _ in range(20)))
            assert set(ends) == {"UNAVAILABLE"}
            answers = await asyncio.gather(*calls)
            assert all(answer.candidates for answer in answers)
        assert await one.ended() == 0


# Clients and lines that hang ------------------------------------------------------------------

STOPPED_CLIENT = """
import asyncio, sys
from completion.wire import completion_pb2 as pb, completion_pb2_grpc as rpc
from completion.wire.address import parse_address
from completion.wire.channel import open_channel
async def main():
    stub = rpc.CompletionServiceStub(open_channel(parse_address(sys.argv[1])))
    async def ask():
        request = pb.CompleteRequest(document=pb.Document(path="b.py", prefix=b"x = "))
        async for _ in stub.StreamComplete(request, timeout=2):
            pass
    await asyncio.gather(*(ask() for _ in range(8)), return_exceptions=True)
asyncio.run(main())
"""


async def test_a_client_that_is_stopped_holds_nobody_up_nor_the_end_of_the_server(tmp_path):
    words = ("--max-running", "16", "--fake-delay-ms", "80", "--drain-seconds", "2")
    async with served(tmp_path, *words) as one, connected(one.address) as stub:
        client = subprocess.Popen(  # noqa: ASYNC220 - it is stopped and killed
            [sys.executable, "-c", STOPPED_CLIENT, str(one.address)], env=child_environment()
        )
        try:
            await one.reaches(8, "caret_requests_running")
            client.send_signal(signal.SIGSTOP)
            assert (await stub.Complete(ask())).candidates
            await one.idle()
            assert (await stub.Complete(ask())).candidates
            one.process.send_signal(signal.SIGTERM)
            assert await one.ended() == 0
        finally:
            client.kill()
            client.wait()


async def test_a_reader_that_is_stuck_holds_nobody_up(tmp_path):
    async with (
        served(tmp_path, "--max-running", "64") as one,
        Line(one.address) as line,
        connected(line.address) as stuck,
        connected(one.address) as stub,
    ):
        assert (await stuck.Complete(ask())).candidates
        line.die()
        raw = pb.GenerationOptions(include_raw=True)
        requests = [ask(f"{n}.py", b"x = " * 20_000, options=raw) for n in range(50)]
        calls = [asyncio.ensure_future(stuck.Complete(r, timeout=1)) for r in requests]
        assert (await stub.Complete(ask())).candidates
        ends = await asyncio.gather(*calls, return_exceptions=True)
        assert set(map(code_of, ends)) == {"DEADLINE_EXCEEDED"}
        await one.idle()
        line.live()
        assert (await stuck.Complete(ask(), timeout=60)).candidates


@contextlib.asynccontextmanager
async def editor_on_a_line(tmp_path):
    """Yield an editor that has been shown something, and its line to the server."""
    async with (
        served(tmp_path) as one,
        Line(one.address) as line,
        lsp_before(line.address, tmp_path, CARET_CLIENT_TIMEOUT_MS="300") as session,
    ):
        await session.initialize(tmp_path)
        await session.ready()
        await shown_again(session, tmp_path / "before.py")
        yield session, line


async def test_an_editor_on_a_line_that_goes_dead_is_answered_and_comes_back(tmp_path):
    async with editor_on_a_line(tmp_path) as (session, line):
        line.die()
        for number in range(3):
            uri = session.open(tmp_path / f"dead{number}.py", "x = ")
            assert (await session.complete(uri, 0, 4)).items == ()
        line.live()
        await shown_again(session, tmp_path / "after.py")
        assert await session.shutdown() == 0


@pytest.mark.slow
async def test_a_connection_that_was_lost_without_a_word_is_made_anew(tmp_path):
    """As after a change of network: the old one is never closed, a new one would work."""
    async with editor_on_a_line(tmp_path) as (session, line):
        line.lose()
        uri = session.open(tmp_path / "lost.py", "x = ")
        assert (await session.complete(uri, 0, 4)).items == ()
        await shown_again(session, tmp_path / "after.py")


# Disks and clocks -----------------------------------------------------------------------------


def with_files_of_at_most(size: int, command: list[str]) -> list[str]:
    """The command, in a process that can write no file further than `size` bytes: EFBIG."""
    code = (
        "import os, resource, sys; n = int(sys.argv[1]);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); os.execv(sys.argv[2], sys.argv[2:])"
    )
    return [sys.executable, "-c", code, str(size), *command]


@pytest.mark.parametrize("size", [0, 8192])
async def test_a_store_that_cannot_grow_costs_the_user_one_line_and_no_suggestion(tmp_path, size):
    async with served(tmp_path) as one:
        command = with_files_of_at_most(size, lsp_command("--server", str(one.address)))
        async with LspSession(command, environment=environment_of(tmp_path)) as session:
            await session.initialize(tmp_path)
            await session.ready()
            for number in range(30):
                uri = session.open(tmp_path / f"{number}.py", "x = ")
                (item,) = (await session.complete(uri, 0, 4)).items
                identity, candidate = item["command"]["arguments"]
                arguments = {"command": COMMAND, "arguments": [identity, candidate]}
                await session.request("workspace/executeCommand", arguments)
            await session.notification(lambda m: "is not kept" in str(m["params"]))
            assert await session.shutdown() == 0
            said = [m for m in session.notifications if "showMessage" in m["method"]]
            assert sum("is not kept" in str(m["params"]) for m in said) == 1
    assert integrity(tmp_path) in ("ok", "none")


JUMPS = """
import itertools, sys, time
_real, _jumps = time.time, itertools.cycle([0, 10**9, -(10**9), 3600, -3600])
def _jumping():
    # gRPC adds and subtracts deadlines with this one, and hands them to C's: there they must agree.
    caller = sys._getframe(1)
    if caller.f_code.co_name == "_deadline" or caller.f_globals["__name__"].startswith("grpc"):
        return _real()
    return max(_real() + next(_jumps), 1.0)
time.time = _jumping
time.time_ns = lambda: int(time.time() * 1e9)
"""


async def test_a_wall_clock_that_jumps_by_hours_and_decades_changes_no_answer(tmp_path):
    """Of both processes; what counts intervals must go by the other clock."""
    (tmp_path / "sitecustomize.py").write_text(JUMPS)
    path = f"{tmp_path}:{child_environment()['PYTHONPATH']}"
    probe = [sys.executable, "-c", "import time; print(abs(time.time() - time.time()) > 1000)"]
    said = await asyncio.to_thread(
        subprocess.run, probe, env={**child_environment(), "PYTHONPATH": path}, capture_output=True
    )
    assert said.stdout.strip() == b"True", "the clock does jump"
    words = lsp_command(
        "--own-server", "--serve-arg=--engine", "--serve-arg=fake", "--serve-arg=--fake-delay-ms",
        "--serve-arg=2",
    )  # fmt: skip
    environment = environment_of(tmp_path, PYTHONPATH=path)
    async with LspSession(words, environment=environment) as session:
        await session.initialize(tmp_path)
        await session.ready()
        server = serving_child(session)
        for number in range(10):
            uri = session.open(tmp_path / f"{number}.py", "x = ")
            (item,) = (await session.complete(uri, 0, 4)).items
            assert item["insertText"] == "value = compute(value)"
            identity, candidate = item["command"]["arguments"]
            arguments = {"command": COMMAND, "arguments": [identity, candidate]}
            await session.request("workspace/executeCommand", arguments)
        assert serving_child(session) == server
        assert await session.shutdown() == 0
        shown = [m["params"] for m in session.notifications if "showMessage" in m["method"]]
        assert shown == []
    assert integrity(tmp_path) == "ok"


async def test_a_channel_that_was_idle_over_a_restart_serves_again(tmp_path):
    listen = f"unix:{tmp_path}/s"
    async with served(tmp_path, listen=listen) as one, connected(one.address) as stub:
        assert (await stub.Complete(ask())).candidates
        one.process.kill()
        one.process.wait()
        async with served(tmp_path, listen=listen):
            assert (await stub.Complete(ask(), wait_for_ready=True, timeout=60)).candidates
