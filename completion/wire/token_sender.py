"""A token with each call of a channel without TLS, which never leaves this machine.

gRPC itself joins tokens to encrypted channels only. One class for each kind of call: gRPC takes an
interceptor for the first kind that it is of.
"""

from __future__ import annotations

from typing import Any

import grpc.aio

HEADER = "authorization"
SCHEME = "Bearer "


def token_senders(token: str) -> list[grpc.aio.ClientInterceptor]:
    """Return the interceptors that send ``token``."""
    return [kind(token) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]


class _Sender:
    def __init__(self, token: str) -> None:
        self._pair = (HEADER, SCHEME + token)

    async def _sent(self, continuation: Any, details: Any, request: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), self._pair)
        return await continuation(details._replace(metadata=metadata), request)


class _UnaryUnary(_Sender, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Any, client_call_details: Any, request: Any
    ) -> Any:
        return await self._sent(continuation, client_call_details, request)


class _UnaryStream(_Sender, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: Any, client_call_details: Any, request: Any
    ) -> Any:
        return await self._sent(continuation, client_call_details, request)


class _StreamUnary(_Sender, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return await self._sent(continuation, client_call_details, request_iterator)


class _StreamStream(_Sender, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return await self._sent(continuation, client_call_details, request_iterator)
