"""The service as users have it: a real process, real vLLM, the bundled model."""

import socket
from dataclasses import dataclass

import grpc.aio
import pytest

from completion.wire import completion_pb2_grpc as rpc
from completion.wire.address import Address
from completion.wire.own_server import OwnServer


@dataclass
class Service:
    """A running `caret serve`."""

    address: Address
    metrics: int
    channel: grpc.aio.Channel
    stub: rpc.CompletionServiceStub


@pytest.fixture(scope="session")
async def service():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        metrics = probe.getsockname()[1]
    words = ["--metrics", f"127.0.0.1:{metrics}", "--max-queued", "2000"]
    async with OwnServer(extra_args=words) as own:
        channel = own.channel()
        yield Service(own.address, metrics, channel, rpc.CompletionServiceStub(channel))
        await channel.close()
