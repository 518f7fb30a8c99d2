"""Who calls, as an interceptor: proves it, keeps its limits, and lets the handlers know.

A caller is named by its token, else by the common name of its certificate, else it is ``local``.
Whether a server is alive may be asked by anybody who can connect.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import grpc
import grpc.aio

from completion.config import ServerConfig
from completion.server.caller import CALLER, LOCAL, Caller
from completion.server.metrics import Metrics
from completion.server.quota import OverLimit, Quota
from completion.server.tokens import TokenFile
from completion.server.wrapping import wrapped
from completion.wire.channel import SERVICE_NAME
from completion.wire.token_sender import HEADER, SCHEME

_OPEN = "/grpc.health.v1.Health/"
_NOTHING_SHOWN = "this server wants a token: set client.token_file"
_NOT_KNOWN = "the token is none of this server's: mend the file of client.token_file"
_NO_NAME = "the client's certificate has no common name"


class Callers(grpc.aio.ServerInterceptor):
    """The callers of one server.

    ``certificates``: whether clients have shown one, so that it can name them.

    Raises:
        UsageError: the file of tokens is wrong.
    """

    def __init__(self, config: ServerConfig, metrics: Metrics, *, certificates: bool) -> None:
        self._tokens = TokenFile(Path(config.token_file)) if config.token_file else None
        self._certificates = certificates
        self._metrics = metrics
        self._quota = Quota(
            running=config.max_running_per_caller, per_second=config.max_per_second_per_caller
        )

    async def intercept_service(
        self, continuation: Callable[..., Any], handler_call_details: Any
    ) -> Any:
        """Return the handler of a call, or one that refuses without having read the request."""
        method: str = handler_call_details.method
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(_OPEN):
            return handler
        caller = None
        if self._tokens is not None:
            token = _token(handler_call_details.invocation_metadata)
            name = self._tokens.name_of(token) if token else ""
            if not name:
                return self._refusal(handler, method, _NOT_KNOWN if token else _NOTHING_SHOWN)
            caller = Caller("token", name)
        return wrapped(
            handler,
            partial(self._named, method=method, caller=caller),
            request_deserializer=handler.request_deserializer,
        )

    def _named(
        self, behaviour: Callable[..., Any], *, method: str, caller: Caller | None, is_stream: bool
    ) -> Callable[..., Any]:
        """Return ``behaviour`` with the caller known to it, and counted."""

        @contextmanager
        def call(context: Any) -> Any:
            known = caller or (self._by_certificate(context) if self._certificates else LOCAL)
            with self._quota.call(known, is_stream=is_stream):
                CALLER.set(known)  # a call has a task, and so a context, of its own
                yield

        if inspect.isasyncgenfunction(behaviour):

            async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
                try:
                    with call(context):
                        async with aclosing(behaviour(request, context)) as answers:
                            async for answer in answers:
                                yield answer
                except (OverLimit, _Unnamed) as error:
                    await self._abort(context, method, error)

            return stream
        if not inspect.iscoroutinefunction(behaviour):
            return (
                behaviour  # gRPC runs it in a thread: reflection, which asks nothing of the engine
            )

        async def unary(request: Any, context: Any) -> Any:
            try:
                with call(context):
                    return await behaviour(request, context)
            except (OverLimit, _Unnamed) as error:
                await self._abort(context, method, error)

        return unary

    def _by_certificate(self, context: Any) -> Caller:
        names = context.auth_context().get("x509_common_name") or []
        name = names[0].decode("utf-8", "replace").strip() if names else ""
        if not name:
            raise _Unnamed(_NO_NAME)
        return Caller("certificate", name)

    def _refusal(self, handler: Any, method: str, why: str) -> Any:
        if handler.response_streaming:

            async def refuse_stream(request: Any, context: Any) -> AsyncIterator[bytes]:
                await self._abort(context, method, _Unnamed(why))
                yield b""

            refuse: Any = refuse_stream
        else:

            async def refuse_unary(request: Any, context: Any) -> NoReturn:
                await self._abort(context, method, _Unnamed(why))

            refuse = refuse_unary
        asks = "stream" if handler.request_streaming else "unary"
        answers = "stream" if handler.response_streaming else "unary"
        return getattr(grpc, f"{asks}_{answers}_rpc_method_handler")(refuse)

    async def _abort(self, context: Any, method: str, error: OverLimit | _Unnamed) -> NoReturn:
        status = grpc.StatusCode.RESOURCE_EXHAUSTED
        if isinstance(error, _Unnamed):
            status = grpc.StatusCode.UNAUTHENTICATED
        service, _, name = method.strip("/").rpartition("/")
        shown = name if service == SERVICE_NAME else "other"
        self._metrics.requests.labels(shown, status.name).inc()
        await context.abort(status, str(error))
        raise AssertionError("abort raises")


class _Unnamed(Exception):
    """Nothing proves who calls."""


def _token(metadata: Any) -> str:
    """Return the token that came with a call, empty where none did; of several the first counts."""
    for key, value in metadata or ():
        if key == HEADER and isinstance(value, str) and value.startswith(SCHEME):
            return value[len(SCHEME) :].strip()
    return ""
