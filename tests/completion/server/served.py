"""A real server on a real socket in this process, as long as a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from completion.config import Config, ModelConfig, ServerConfig
from completion.engine.fake import FakeEngine, fake_checkpoint
from completion.server.app import Server
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.address import Address
from completion.wire.channel import open_channel
from completion.wire.credentials import NOBODY


@asynccontextmanager
async def served(
    address: Address, engine=None, arm="auto", checkpoint=None, credentials=NOBODY, **options
) -> AsyncIterator[tuple[Server, rpc.CompletionServiceAsyncStub]]:
    """Serve at ``address``; ``options`` are those of ``[server]``, ``credentials`` the stub's."""
    engine = engine or FakeEngine()
    config = replace(
        Config(),
        server=ServerConfig(**{"listen": address.target, **options}),
        model=ModelConfig(arm=arm),
    )
    server = Server(config, lambda: (checkpoint or fake_checkpoint(), engine))
    ready = asyncio.Event()
    task = asyncio.create_task(server.run(on_ready=ready.set))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        await task
    channel = open_channel(server.address, credentials)
    try:
        yield server, rpc.CompletionServiceStub(channel)
    finally:
        await channel.close()
        server.stop()
        await task
