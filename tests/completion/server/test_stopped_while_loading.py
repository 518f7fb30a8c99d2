"""A server that is stopped before its model is there, in a process that is not its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from dataclasses import replace

from completion.config import Config, ServerConfig
from completion.engine.fake import FakeEngine, fake_checkpoint
from completion.server.app import Server


async def test_it_waits_for_the_load_and_ends_neither_this_process_nor_its_children(tmp_path):
    loading, go_on = threading.Event(), threading.Event()

    def load():
        loading.set()
        go_on.wait()
        return fake_checkpoint(), FakeEngine()

    config = replace(Config(), server=ServerConfig(listen=f"unix:{tmp_path}/s"))
    server = Server(config, load)
    abandoned, ready = [], []
    child = subprocess.Popen(  # noqa: ASYNC220 - it is killed, which asyncio would tidy up
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    try:
        running = asyncio.create_task(
            server.run(
                on_abandoned=lambda: abandoned.append(True), on_ready=lambda: ready.append(True)
            )
        )
        await asyncio.to_thread(loading.wait)
        server.stop()
        while not abandoned:
            await asyncio.sleep(0.005)
        go_on.set()
        await running
        assert abandoned == [True]
        assert ready == []
        assert child.poll() is None
    finally:
        go_on.set()
        child.kill()
        child.communicate()
