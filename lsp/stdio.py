"""The transport: standard input to the protocol, in a thread of its own.

pygls's loop reads through the thread pool, three hops a message, ends with status 0 whatever
happened, and skips what follows a malformed header; this one does none of that.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import BinaryIO

from pygls.io_ import StdoutWriter

from lsp import timings
from lsp.framing import Framer
from lsp.protocol import Protocol

_PIECE = 1 << 16

EXIT_OK = 0
EXIT_WITHOUT_SHUTDOWN = 1


async def serve(
    protocol: Protocol,
    close: Callable[[], Awaitable[None]],
    *,
    stdin: BinaryIO | None = None,
    stdout: BinaryIO | None = None,
) -> int:
    """Serve one client until it says ``exit``, goes away, or SIGTERM comes; return the exit status.

    ``close`` is awaited before returning, whatever ended the session.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    protocol.set_writer(StdoutWriter(stdout or sys.stdout.buffer))
    framer = Framer()

    def end(status: int) -> None:
        if not ended.done():
            ended.set_result(status)

    def gone() -> None:
        end(EXIT_OK if protocol.is_shut_down else EXIT_WITHOUT_SHUTDOWN)

    def receive(data: bytes, read_at: float) -> None:
        if ended.done():
            return
        timings.arrived(read_at)
        if not data:
            gone()
            return
        try:
            for message in framer.feed(data):
                protocol.receive(message)
                if ended.done():
                    return
        except SystemExit as status:  # from pygls's handler of `exit`
            end(int(status.code or 0))
        except OSError:  # standard output is closed: the client has died
            gone()

    def read(fd: int) -> None:
        while True:
            try:
                data = os.read(fd, _PIECE)
            except OSError:
                data = b""
            try:
                loop.call_soon_threadsafe(receive, data, time.perf_counter())
            except RuntimeError:  # the loop has closed
                return
            if not data:
                return

    fd = (stdin or sys.stdin.buffer).fileno()
    # A daemon: it may sit in a read that never returns when the session is long over.
    threading.Thread(target=read, args=(fd,), name="stdin", daemon=True).start()
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGTERM, gone)
        loop.add_signal_handler(signal.SIGINT, gone)
    try:
        return await ended
    finally:
        await close()
