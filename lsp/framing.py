"""The base protocol of LSP, without I/O: bytes in, messages out, and in step after nonsense.

A header without a usable length, or a body that is no JSON, costs that message and no other: the
stream is taken up again at the next ``Content-Length:``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

MAX_BODY = 1 << 28
"""Longest message that is believed, in bytes: far above any document, below a misread number."""

MAX_HEADER = 1 << 16
"""Longest header block that is waited for, in bytes."""

_MARK = b"Content-Length:"
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Malformed:
    """Input that was no message; ``reason`` quotes nothing of it."""

    reason: str


def encode(message: dict[str, Any]) -> bytes:
    """Return ``message`` as it goes over the wire."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Framer:
    """Turns a stream of bytes into decoded messages. Feed it pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None

    def feed(self, data: bytes) -> list[dict[str, Any] | Malformed]:
        """Return the messages that ``data`` completed, in order."""
        self._buffer += data
        found: list[dict[str, Any] | Malformed] = []
        while True:
            if self._length is None and not self._read_header(found):
                return found
            if self._length is None:
                continue
            if len(self._buffer) < self._length:
                return found
            content = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            self._length = None
            found.append(self._decode(content))

    def _read_header(self, found: list[dict[str, Any] | Malformed]) -> bool:
        """Read one header block; False when it has not arrived whole."""
        blank = _BLANK_LINE.search(self._buffer)
        if blank is None:
            if len(self._buffer) > MAX_HEADER:
                found.append(Malformed("a header without an end"))
                del self._buffer[: -len(_MARK)]
            return False
        start = self._buffer.rfind(_MARK, 0, blank.start())
        if start > 0 and self._buffer[start - 1] != 0x0A:
            found.append(Malformed("bytes that belong to no message"))
            del self._buffer[:start]
            return True
        length = _content_length(bytes(self._buffer[: blank.start()]))
        if length is None:
            found.append(Malformed("a header without a usable Content-Length"))
            following = self._buffer.find(_MARK, blank.end())
            del self._buffer[: following if following >= 0 else blank.end()]
            return True
        del self._buffer[: blank.end()]
        self._length = length
        return True

    def _decode(self, content: bytes) -> dict[str, Any] | Malformed:
        try:
            message = json.loads(content)
        except (ValueError, RecursionError):
            # The length was too large and took in the start of what follows.
            following = content.find(_MARK)
            if following >= 0:
                self._buffer[:0] = content[following:]
            return Malformed("a body that is not JSON")
        if not isinstance(message, dict):
            return Malformed("a body that is not a JSON object")
        return message


def _content_length(header: bytes) -> int | None:
    for line in header.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = int(value)
            return length if length <= MAX_BODY else None
    return None
