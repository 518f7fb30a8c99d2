"""Putting something around the handlers of a service: what interceptors here have in common."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import grpc

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


def is_async(handler: Any) -> bool:
    """Return whether ``handler`` runs on the event loop; gRPC runs others in threads."""
    return any(
        inspect.isasyncgenfunction(one) or inspect.iscoroutinefunction(one)
        for one in (getattr(handler, kind) for kind in KINDS)
    )


def wrapped(
    handler: Any, wrap: Callable[..., Any], *, request_deserializer: Callable[[bytes], Any] | None
) -> Any:
    """Return ``handler`` with its behaviour in what ``wrap`` makes of it.

    ``wrap`` is told with ``is_stream`` whether its caller sends more than one message.
    """
    for kind in KINDS:
        if (behaviour := getattr(handler, kind)) is not None:
            make = getattr(grpc, f"{kind}_rpc_method_handler")
            return make(
                wrap(behaviour, is_stream=kind.startswith("stream")),
                request_deserializer=request_deserializer,
                response_serializer=handler.response_serializer,
            )
    return handler
