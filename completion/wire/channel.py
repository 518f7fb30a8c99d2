"""Opening a channel to a service, and waiting until it serves.

A token goes to this machine, or over TLS; never over clear text to another machine.
"""

from __future__ import annotations

import asyncio
import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what it would write beside ours is raised as well

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from completion.errors import CaretError, UsageError
from completion.wire.address import Address
from completion.wire.credentials import NOBODY, Credentials
from completion.wire.token_sender import token_senders

SERVICE_NAME = "caret.v1.CompletionService"
"""The name under which the health service knows the completion service."""

_LOADING = "still loading"
_OPTIONS = [
    ("grpc.max_receive_message_length", 16 << 20),  # answers stay far below; raw prompts may not
    ("grpc.enable_http_proxy", 0),  # a proxy between an editor and its own machine is never meant
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.use_local_subchannel_pool", 1),  # a new server on an old socket is a new connection
    # A line that went dead without a word is given up, and connected anew, within these two.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 20_000),
]


def open_channel(address: Address, credentials: Credentials = NOBODY) -> grpc.aio.Channel:
    """Return a channel to ``address``; connecting happens on first use. Needs a running loop.

    Raises:
        UsageError: a file of ``credentials`` cannot be used, or its token would go to another
            machine without encryption.
    """
    token = credentials.token()
    if credentials.is_encrypted and not address.path:
        tls = grpc.ssl_channel_credentials(*credentials.tls())
        if token:
            tls = grpc.composite_channel_credentials(tls, grpc.access_token_call_credentials(token))
        return grpc.aio.secure_channel(address.target, tls, options=_OPTIONS)
    if token and not address.is_local:
        raise UsageError(
            f"the token is not sent to {address} without encryption; set client.tls_ca"
        )
    return grpc.aio.insecure_channel(
        address.target, options=_OPTIONS, interceptors=token_senders(token) if token else None
    )


PINGED_MS = 10_000
"""How often a server must let a client ask whether the line is alive; below ``keepalive_time_ms``."""

_PROBE_S = 2.0


async def answers(channel: grpc.aio.Channel) -> bool:
    """Tell whether there is somebody who answers, in two seconds, whatever he says."""
    health = health_pb2_grpc.HealthStub(channel)
    try:
        await health.Check(  # pyright: ignore[reportAttributeAccessIssue] - untyped
            health_pb2.HealthCheckRequest(service=SERVICE_NAME), timeout=_PROBE_S
        )
    except grpc.aio.AioRpcError as error:
        silent = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)
        return error.code() not in silent
    return True


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
