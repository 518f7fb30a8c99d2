"""A real server on a real socket, with the fake engine behind it."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from completion.config import Config, ModelConfig, ServerConfig
from completion.engine.fake import FakeEngine, fake_checkpoint
from completion.server.app import Server
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.address import Address
from completion.wire.channel import open_channel


@pytest.fixture
def address(tmp_path):
    """Where ``serving`` listens."""
    return Address(path=str(tmp_path / "s.sock"))


@pytest.fixture
def serving(address):
    """A context manager: ``async with serving(engine, max_running=1) as (server, stub)``."""

    @asynccontextmanager
    async def start(engine=None, arm="auto", checkpoint=None, **options):
        engine = engine or FakeEngine()
        config = replace(
            Config(),
            server=ServerConfig(listen=address.target, **options),
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
        channel = open_channel(server.address)
        try:
            yield server, rpc.CompletionServiceStub(channel)
        finally:
            await channel.close()
            server.stop()
            await task

    return start
