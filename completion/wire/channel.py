"""Opening a channel to a service, and waiting until it serves."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from completion.errors import CaretError
from completion.wire.address import Address

SERVICE_NAME = "caret.v1.CompletionService"
"""The name under which the health service knows the completion service."""

_LOADING = "still loading"
_OPTIONS = [
    ("grpc.max_receive_message_length", 16 << 20),  # answers stay far below; raw prompts may not
    ("grpc.enable_http_proxy", 0),  # a proxy between an editor and its own machine is never meant
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.use_local_subchannel_pool", 1),  # a new server on an old socket is a new connection
]


def open_channel(address: Address) -> grpc.aio.Channel:
    """Return a channel to ``address``; connecting happens on first use. Needs a running loop."""
    return grpc.aio.insecure_channel(address.target, options=_OPTIONS)


class NotServing(CaretError):
    """No service came up in time; ``loading``: one answers, and its model is not there yet."""

    def __init__(self, message: str, *, loading: bool) -> None:
        super().__init__(message)
        self.loading = loading


async def wait_until_serving(
    channel: grpc.aio.Channel,
    *,
    timeout_s: float,
    interval_s: float = 0.05,
) -> None:
    """Return once the health service says SERVING.

    Raises:
        NotServing: after ``timeout_s`` seconds.
    """
    health = health_pb2_grpc.HealthStub(channel)
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s
    last = "no answer"
    while loop.time() < end:
        try:
            answer = await health.Check(  # pyright: ignore[reportAttributeAccessIssue] - untyped
                health_pb2.HealthCheckRequest(service=SERVICE_NAME), timeout=2.0
            )
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
            last = _LOADING
        except grpc.aio.AioRpcError as error:
            last = error.code().name.lower()
        await asyncio.sleep(interval_s)
    raise NotServing(
        f"the completion server did not come up within {timeout_s:.0f} s ({last})",
        loading=last == _LOADING,
    )
