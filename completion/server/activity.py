"""How long nobody has been connected: what ends a server that several editors share.

Whoever is connected holds a call open, the ``Watch`` of the health service if nothing else. So no
call means no client, whatever its connections do.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import grpc
import grpc.aio

_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Activity(grpc.aio.ServerInterceptor):
    """Counts the calls that are open; from the event loop only."""

    def __init__(self) -> None:
        self.open = 0
        self._since = 0.0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def wait_idle(self, seconds: float) -> None:
        """Return once no call has been open for ``seconds``, counted from now on."""
        clock = asyncio.get_running_loop().time
        self._since = clock()
        while True:
            await self._quiet.wait()
            left = self._since + seconds - clock()
            if left <= 0:
                return
            await asyncio.sleep(left)

    async def intercept_service(
        self, continuation: Callable[..., Any], handler_call_details: Any
    ) -> Any:
        """Return the handler of a call, with its time counted."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        for kind in _KINDS:
            if (behaviour := getattr(handler, kind)) is not None:
                make = getattr(grpc, f"{kind}_rpc_method_handler")
                return make(
                    self._counted(behaviour),
                    request_deserializer=handler.request_deserializer,
                    response_serializer=handler.response_serializer,
                )
        return handler

    def _counted(self, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isasyncgenfunction(behaviour):

            async def stream(request: Any, context: Any) -> Any:
                with self._call():
                    async with aclosing(behaviour(request, context)) as answers:
                        async for answer in answers:
                            yield answer

            return stream
        if not inspect.iscoroutinefunction(behaviour):
            return behaviour  # gRPC runs it in a thread: reflection, which nobody keeps open

        async def call(request: Any, context: Any) -> Any:
            with self._call():
                return await behaviour(request, context)

        return call

    @contextmanager
    def _call(self) -> Iterator[None]:
        self.open += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self.open -= 1
            if not self.open:
                self._since = asyncio.get_running_loop().time()
                self._quiet.set()
