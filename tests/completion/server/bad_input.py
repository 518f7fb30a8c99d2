"""Documents that no one should send and any client may: what they do to each method of the service."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import grpc

from completion.wire import completion_pb2 as pb

SECRET = b"hunter2"
"""In the documents; nowhere in a log."""
HALF = "🙂".encode()[:2]
SENTINELS = b"<|fim_middle|><|endoftext|><|fim_prefix|><|file_sep|>"
PREFIXES = {
    "half an emoji": b'hunter2 = "' + HALF,
    "a continuation byte": b"hunter2 = \x80",
    "a continuation byte alone": b"\x80",
    "bytes of no UTF-8": b"hunter2\xff\xfe\xc0",
    "a kilobyte of spaces": b"hunter2 = 1\n" + b" " * 1024,
    "100 kB of spaces": b"hunter2\n" + b" " * 100_000,
    "100 kB of one letter": b"hunter2" + b"a" * 100_000,
    "100 kB of continuation bytes": b"\x80" * 100_000,
    "100 kB of line ends": b"\n" * 100_000,
    "sentinels": b"hunter2 = '" + SENTINELS,
    "nothing": b"",
    "one token": b"def",
    "one byte": b"a",
    "one space": b" ",
    "zero bytes": b"\0hunter2\0\0",
    "half a line end": b"hunter2 = 1\r",
}
SUFFIXES = {
    "usual": b")\n    return hunter2\n",
    "nothing": b"",
    "the other half": "🙂".encode()[2:] + b'"\n',
    "a line feed": b"\nhunter2 = 2\r\n",
    "sentinels": SENTINELS + b"hunter2",
    "100 kB of spaces": b" " * 100_000,
}
TOGETHER = [
    *((name, "usual") for name in PREFIXES),
    *(("half an emoji", name) for name in ("the other half", "nothing", "sentinels")),
    *(("sentinels", name) for name in ("sentinels", "100 kB of spaces")),
    ("nothing", "nothing"),
    ("half a line end", "a line feed"),
]
"""Names of prefixes and suffixes that are tried together."""


def document(prefix: str, suffix: str, **more: Any) -> pb.Document:
    return pb.Document(
        path="a.py", language_id="python", prefix=PREFIXES[prefix], suffix=SUFFIXES[suffix], **more
    )


def check_completion(answer: pb.CompleteResponse) -> None:
    """What any answer of Complete holds."""
    assert answer.candidates or answer.declined
    for candidate in answer.candidates:
        assert math.isfinite(candidate.log_prob)
        assert candidate.log_prob <= 1e-3
        assert b"<|fim_" not in candidate.text


def check_law(answer: pb.NextBytesResponse) -> None:
    """What any answer of NextBytes holds."""
    whole = sum(map(math.exp, answer.log_probs)) + math.exp(answer.end_log_prob)
    assert len(answer.log_probs) == 256
    assert abs(whole - 1) < 1e-4
    assert 0 <= answer.omitted_mass_bound <= 1
    assert answer.cover_contexts >= 1


def check_scores(answer: pb.ScoreResponse, count: int) -> None:
    """What any answer of Score holds; the first text is the empty one."""
    assert len(answer.log_probs) == count
    assert abs(answer.log_probs[0]) < 1e-4
    assert all(p <= 1e-4 for p in answer.log_probs), "no NaN, no probability above one"
    assert 0 <= answer.omitted_mass_bound <= 1


class Refused(Exception):
    """What a handler answered instead of a response."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(code, details)
        self.code, self.details = code, details


class Here:
    """What a handler needs of a call's context, in this process."""

    def time_remaining(self) -> None:
        """There is no deadline."""

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Nothing is said beside the request."""
        return ()

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Refuse."""
        raise Refused(code, details)
