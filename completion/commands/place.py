"""``FILE:LINE:COL`` on a command line: the file read, the cursor checked, the request made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from completion.config_sources import load
from completion.errors import CaretError, UsageError
from completion.wire import completion_pb2 as pb
from completion.wire.address import parse_address
from completion.wire.channel import open_channel
from completion.wire.names import as_utf8
from completion.wire.own_server import OwnServer

MAX_FILE_BYTES = 16 << 20
"""A larger file is no source code that anyone completes in."""
CONTEXT_BYTES = 256 << 10
"""Sent before the cursor, and after it; far more than any model here reads."""


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor in a file: bytes before and after it."""

    path: Path
    prefix: bytes
    suffix: bytes


def read_place(text: str) -> Place:
    """Read the file of ``FILE:LINE:COL`` (1-based line, 1-based byte column) and cut it there.

    A column inside a character is taken as it is: the cursor is a byte. One past the end of the
    line's text, or a line past the file, is an error.

    Raises:
        UsageError: says which part is wrong and what would be right.
    """
    name, line_text, column_text = _split(text)
    path = Path(name)
    if path.is_dir():
        raise UsageError(f"{name} is a folder, not a file")
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise UsageError(
                f"{name} has {size >> 20} MiB; at most {MAX_FILE_BYTES >> 20} are read"
            )
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None
    if b"\0" in data[:8192]:
        raise UsageError(f"{name} is a binary file")
    lines = data.split(b"\n")
    if not 1 <= line_text <= len(lines):
        raise UsageError(f"{name} has {len(lines)} lines; line {line_text} is outside it")
    line = lines[line_text - 1].removesuffix(b"\r")
    if not 1 <= column_text <= len(line) + 1:
        raise UsageError(
            f"line {line_text} of {name} has {len(line)} bytes; column {column_text} is outside it, "
            f"1 to {len(line) + 1} are inside"
        )
    offset = sum(len(one) + 1 for one in lines[: line_text - 1]) + column_text - 1
    return Place(path, data[:offset], data[offset:])


def request_for(place: Place, options: pb.GenerationOptions | None = None) -> pb.CompleteRequest:
    """Return the request for the text at ``place``."""
    before, after = place.prefix[-CONTEXT_BYTES:], place.suffix[:CONTEXT_BYTES]
    crlf = b"\r\n" in place.prefix[-4096:] + place.suffix[:4096]
    return pb.CompleteRequest(
        document=pb.Document(
            path=as_utf8(place.path.name),
            prefix=before,
            suffix=after,
            eol="\r\n" if crlf else "\n",
            insert_spaces=b"\n\t" not in place.prefix,
            prefix_truncated=len(before) < len(place.prefix),
            suffix_truncated=len(after) < len(place.suffix),
        ),
        options=options,
        trigger=pb.CompleteRequest.TRIGGER_INVOKED,
    )


@asynccontextmanager
async def service(address: str | None, words: list[str]) -> AsyncIterator[grpc.aio.Channel]:
    """Yield a channel to the service at ``address``, or to one started for the occasion."""
    if address:
        channel = open_channel(parse_address(address), load().config.client.credentials)
        try:
            yield channel
        except grpc.aio.AioRpcError as error:
            raise _readable(error, address) from None
        finally:
            await channel.close()
        return
    async with OwnServer(extra_args=words) as own:
        channel = own.channel()
        try:
            yield channel
        except grpc.aio.AioRpcError as error:
            raise _readable(error, "its own server") from None
        finally:
            await channel.close()


def _readable(error: grpc.aio.AioRpcError, address: str) -> CaretError:
    code = error.code()
    if code is grpc.StatusCode.UNAVAILABLE:
        loading = error.details() == "the model is loading"
        why = "it is still loading" if loading else "is `caret serve` running there?"
        if "handshake" in (error.details() or "").lower():
            why = "the TLS handshake failed; check client.tls_ca, tls_cert and tls_key"
        return CaretError(f"no completion server answers at {address}: {why}")
    text = f"the completion server refused: {error.details()} ({code.name})"
    return UsageError(text) if code is grpc.StatusCode.INVALID_ARGUMENT else CaretError(text)


def _split(text: str) -> tuple[str, int, int]:
    name, _, column = text.rpartition(":")
    name, _, line = name.rpartition(":")
    if not name or not line.isdecimal() or not column.isdecimal():
        raise UsageError(f"{text!r} is not FILE:LINE:COL, for example app.py:12:5")
    return name, int(line), int(column)
