"""``caret serve`` as a process: ports, signals, metrics, logs."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.address import Address
from completion.wire.channel import open_channel, wait_until_serving

SECRET = b"password_of_the_user = 'hunter2'\nx = password"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(*words):
    command = [sys.executable, "-m", "completion.cli", "serve", "--engine", "fake", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


async def stub_for(address):
    channel = open_channel(address)
    await wait_until_serving(channel, timeout_s=30)
    return channel, rpc.CompletionServiceStub(channel)


def ask(prefix=SECRET):
    return pb.CompleteRequest(document=pb.Document(path="secret_name.py", prefix=prefix))


async def test_sigterm_lets_the_running_request_finish_and_exits_0():
    port, metrics = free_port(), free_port()
    process = serve("--listen", f"127.0.0.1:{port}", "--metrics", f"127.0.0.1:{metrics}",
                    "--fake-delay-ms", "30")  # fmt: skip
    channel, stub = await stub_for(Address(host="127.0.0.1", port=port))
    running = asyncio.ensure_future(stub.Complete(ask(b"x = ")))
    while "caret_engine_running 1.0" not in await scrape(metrics):
        assert not running.done()
    process.send_signal(signal.SIGTERM)
    assert (await running).candidates[0].text == b"value = compute(value)"
    assert await asyncio.to_thread(process.wait, 30) == 0
    await channel.close()


async def test_a_successor_on_the_same_socket_outlives_the_drain_of_the_one_before(tmp_path):
    listen, address = f"unix:{tmp_path}/s", Address(path=f"{tmp_path}/s")
    metrics = free_port()
    old = serve("--listen", listen, "--metrics", f"127.0.0.1:{metrics}", "--fake-delay-ms", "200")
    channel, stub = await stub_for(address)
    running = asyncio.ensure_future(stub.Complete(ask(b"x = ")))
    while "caret_engine_running 1.0" not in await scrape(metrics):
        assert not running.done()
    old.send_signal(signal.SIGTERM)
    while Path(address.path).exists():
        await asyncio.sleep(0.01)
    new = serve("--listen", listen)
    successor, _ = await stub_for(address)
    await asyncio.gather(running, return_exceptions=True)
    assert await asyncio.to_thread(old.wait, 30) == 0
    assert Path(address.path).exists()
    new.terminate()
    assert await asyncio.to_thread(new.wait, 30) == 0
    await asyncio.gather(channel.close(), successor.close())


async def scrape(port):
    url = f"http://127.0.0.1:{port}/metrics"
    return (await asyncio.to_thread(urllib.request.urlopen, url)).read().decode()


async def test_a_port_in_use_is_one_line_and_status_2():
    port = free_port()
    process = serve("--listen", f"127.0.0.1:{port}")
    channel, _ = await stub_for(Address(host="127.0.0.1", port=port))
    second = serve("--listen", f"127.0.0.1:{port}")
    _, err = await asyncio.to_thread(second.communicate, None, 30)
    assert second.returncode == 2
    lines = [line for line in err.decode().splitlines() if not line.startswith("{")]
    assert len(lines) == 1
    assert "cannot be listened on" in lines[0]
    process.terminate()
    assert await asyncio.to_thread(process.wait, 30) == 0
    await channel.close()


async def test_logs_are_json_and_hold_no_text_of_the_user():
    port, metrics = free_port(), free_port()
    process = serve("--listen", f"127.0.0.1:{port}", "--metrics", f"127.0.0.1:{metrics}",
                    "--log-level", "debug")  # fmt: skip
    channel, stub = await stub_for(Address(host="127.0.0.1", port=port))
    await stub.Complete(ask())
    await asyncio.gather(
        stub.Complete(pb.CompleteRequest(options=pb.GenerationOptions(top_p=9))),
        return_exceptions=True,
    )
    shown = await scrape(metrics)
    process.terminate()
    out, err = await asyncio.to_thread(process.communicate, None, 30)
    await channel.close()
    assert out == b""
    events = [json.loads(line)["event"] for line in err.decode().splitlines()]
    assert events[0] == "listening"
    assert "serving" in events
    for place in (err.decode(), shown):
        for secret in ("hunter2", "password", "secret_name", "compute"):
            assert secret not in place
    for name in (
        'caret_requests_total{code="OK",method="Complete"} 1.0',
        'caret_requests_total{code="INVALID_ARGUMENT",method="Complete"} 1.0',
        "caret_candidates_total{stop_reason=",
        'caret_tokens_total{kind="generated"}',
        'caret_stage_seconds_bucket{le="0.001",stage="first_token"}',
        "caret_engine_running 0.0",
        "caret_requests_running 0.0",
        "caret_requests_waiting 0.0",
    ):
        assert name in shown, name


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_it_ends_when_its_parent_is_killed():
    port = free_port()
    script = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-m', 'completion.cli',"
        f" 'serve', '--engine', 'fake', '--exit-with-parent', '--listen', '127.0.0.1:{port}']);"
        "print(p.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(  # noqa: ASYNC220 - it is to be killed, not awaited
        [sys.executable, "-c", script], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    channel, _ = await stub_for(Address(host="127.0.0.1", port=port))
    await channel.close()
    parent.kill()
    parent.wait()
    while alive(child):
        await asyncio.sleep(0.02)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_the_probe_says_by_its_status_whether_it_serves(tmp_path):
    def probe(*words):
        command = [sys.executable, "-m", "completion.wire.probe", *words]
        return subprocess.run(command, capture_output=True, text=True)

    listen = f"unix:{tmp_path}/s"
    absent = await asyncio.to_thread(probe, listen)
    assert absent.returncode == 1
    assert len(absent.stderr.splitlines()) == 1
    process = serve("--listen", listen)
    channel, _ = await stub_for(Address(path=f"{tmp_path}/s"))
    assert (await asyncio.to_thread(probe, listen)).returncode == 0
    assert (await asyncio.to_thread(probe, "nonsense")).returncode == 1
    assert (await asyncio.to_thread(probe)).returncode == 2
    await channel.close()
    process.terminate()
    assert await asyncio.to_thread(process.wait, 30) == 0
