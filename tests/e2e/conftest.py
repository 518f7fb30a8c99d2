"""The service as users have it: a real process, real vLLM, the bundled model."""

import socket
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import pytest

from completion.wire import completion_pb2_grpc as rpc
from completion.wire.address import Address
from completion.wire.own_server import OwnServer
from tests.e2e import install_vscode
from tests.lsp.conftest import running_service


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


@pytest.fixture(scope="module")
async def scripted():
    """A service that answers as the test wants, behind the real `caret lsp`."""
    async with running_service() as one:
        yield one


@pytest.fixture(scope="session")
def tools() -> install_vscode.Tools:
    """VS Code and a browser, where they are installed."""
    try:
        return install_vscode.tools()
    except install_vscode.NotInstalledError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def vsix(tools, tmp_path_factory) -> Path:
    """The extension, packaged."""
    path = tmp_path_factory.mktemp("vsix") / "caret.vsix"
    install_vscode.package(path)
    return path
