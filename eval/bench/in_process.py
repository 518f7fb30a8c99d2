"""The service in this process, behind gRPC on a socket of its own: a bench sees it and its engine."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from completion.config import Config, ServerConfig
from completion.engine.base import Engine
from completion.engine.checkpoint import Checkpoint
from completion.server.app import Server
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.channel import open_channel


@asynccontextmanager
async def serving(
    config: Config, checkpoint: Checkpoint, engine: Engine
) -> AsyncGenerator[rpc.CompletionServiceAsyncStub]:
    """Yield a stub of the service with ``engine``, which is started for it and ends with it.

    Raises:
        CaretError: the engine does not start.
    """
    with tempfile.TemporaryDirectory(prefix="caret-bench-") as folder:
        listen = ServerConfig(listen=f"unix:{folder}/s.sock", log_level="error")
        server = Server(replace(config, server=listen), lambda: (checkpoint, engine))
        ready = asyncio.Event()
        running = asyncio.create_task(server.run(on_ready=ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if running.done():
            await running
        channel = open_channel(server.address)
        try:
            yield rpc.CompletionServiceStub(channel)
        finally:
            await channel.close()
            server.stop()
            await running
