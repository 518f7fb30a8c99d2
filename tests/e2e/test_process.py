"""`caret serve` on vLLM as a process: how it ends, however it ends."""

import asyncio
import json
import signal
import subprocess
import sys

import psutil
import pytest

from completion.wire.own_server import OwnServer

pytestmark = [pytest.mark.engine, pytest.mark.e2e]


def family(pid):
    return psutil.Process(pid).children(recursive=True)


async def gone(processes):
    """Return once all have ended; the test's own timeout is the limit."""
    for process in processes:
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.02)


async def test_sigterm_ends_it_with_status_0_and_leaves_no_process():
    async with OwnServer() as own:
        processes = family(own.pid)
        assert processes, "the engine core is a process of its own"
        psutil.Process(own.pid).send_signal(signal.SIGTERM)
        assert await own.wait_ended() == "the completion server stopped: status 0"
        assert own._process.returncode == 0
        await gone(processes)


async def test_killed_it_leaves_no_process_either():
    async with OwnServer() as own:
        processes = family(own.pid)
        psutil.Process(own.pid).kill()
        await gone(processes)


async def test_sigterm_while_loading_ends_it_and_all_it_started(tmp_path):
    command = [sys.executable, "-m", "completion.cli", "serve", "--listen", f"unix:{tmp_path}/s"]
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    assert process.stderr is not None
    while json.loads(await process.stderr.readline())["event"] != "listening":
        pass
    while not (processes := family(process.pid)):
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    await gone(processes)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("name", "said"), [("empty", "safetensors"), ("pickled", "pickled weights")]
)
async def test_a_folder_that_cannot_be_served_is_one_line(tmp_path, name, said):
    (tmp_path / "config.json").write_text("{}")
    if name == "pickled":
        (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    command = [sys.executable, "-m", "completion.cli", "serve", "--listen", f"unix:{tmp_path}/s"]
    result = await asyncio.to_thread(
        subprocess.run, [*command, "--model", str(tmp_path)], capture_output=True, text=True
    )
    lines = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert result.returncode == 1
    assert len(lines) == 1
    assert said in lines[0]
