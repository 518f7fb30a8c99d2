"""Bytes that are no message: refused like any wrong request, where gRPC would log a traceback.

An interceptor, the innermost, so that nobody reads what nobody may send.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from completion.server.job import InvalidField
from completion.server.metrics import Metrics
from completion.server.wrapping import is_async, wrapped

_WHY = "the request is no message of this method"


class _Unreadable:
    """Stands for a message that cannot be read."""


class Readable(grpc.aio.ServerInterceptor):
    """Lets handlers see nothing but messages."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def intercept_service(
        self, continuation: Callable[..., Any], handler_call_details: Any
    ) -> Any:
        """Return the handler of a call, with its requests looked at."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_deserializer is None or not is_async(handler):
            return handler  # gRPC runs the last in threads: reflection, which logs nothing of ours
        method = handler_call_details.method.rpartition("/")[2]
        return wrapped(
            handler,
            partial(self._checked, method=method),
            request_deserializer=_reader(handler.request_deserializer),
        )

    def _checked(
        self, behaviour: Callable[..., Any], *, method: str, is_stream: bool
    ) -> Callable[..., Any]:
        async def looked_at(request: Any, context: Any) -> Any:
            if is_stream:
                return _readable(request)
            await self._refuse(request, context, method)
            return request

        if inspect.isasyncgenfunction(behaviour):

            async def answers(request: Any, context: Any) -> AsyncIterator[Any]:
                request = await looked_at(request, context)
                async with aclosing(behaviour(request, context)) as made:
                    async for answer in made:
                        yield answer

            return answers

        async def answer(request: Any, context: Any) -> Any:
            return await behaviour(await looked_at(request, context), context)

        return answer

    async def _refuse(self, request: Any, context: Any, method: str) -> None:
        if isinstance(request, _Unreadable):
            status = grpc.StatusCode.INVALID_ARGUMENT
            self._metrics.requests.labels(method, status.name).inc()
            await context.abort(status, _WHY)


async def _readable(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield messages.

    Raises:
        InvalidField: what came is none; the handlers know what that means.
    """
    async for request in requests:
        if isinstance(request, _Unreadable):
            raise InvalidField(_WHY)
        yield request


def _reader(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            return _Unreadable()

    return read
