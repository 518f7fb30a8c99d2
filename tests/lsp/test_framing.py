"""The base protocol: any cut of the stream, and any nonsense in it, costs nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.framing import MAX_HEADER, Framer, Malformed, encode

GOOD = {"jsonrpc": "2.0", "id": 1, "method": "m"}


def fed(*pieces: bytes) -> list:
    framer = Framer()
    return [message for piece in pieces for message in framer.feed(piece)]


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=9)), max_size=5),
    st.lists(st.integers(0, 400), max_size=9),
)
def test_messages_arrive_whole_however_the_stream_is_cut(messages, cuts):
    stream = b"".join(encode(message) for message in messages)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[low:high] for low, high in itertools.pairwise(edges)]
    assert fed(*pieces) == messages


@pytest.mark.parametrize(
    "nonsense",
    [
        b"Content-Length: abc\r\n\r\n{}",
        b"Content-Length: -5\r\n\r\n{}",
        b"Content-Length: 99999999999\r\n\r\n{}",
        b"Content-Type: text\r\n\r\n{}",
        b"Content-Length: 5\r\n\r\n{bad}",
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 2\r\n\r\n{}}}}",
        b"Content-Length: 30\r\n\r\n{}",
        b"Content-Length: 2\r\n\r\n\xff\xfe",
        b"hello\r\n\r\n",
        b"hello",
        b"x" * (MAX_HEADER + 1),
    ],
    ids=lambda text: text[:40].decode("latin-1"),
)
def test_nonsense_costs_no_message_after_it(nonsense):
    whole = fed(nonsense + encode(GOOD) + encode(GOOD))
    assert [m for m in whole if m != {}][-2:] == [GOOD, GOOD]
    assert any(isinstance(message, Malformed) for message in whole)
    stream = nonsense + encode(GOOD) + encode(GOOD)
    step = 1 + len(stream) // 200
    in_pieces = fed(*(stream[low : low + step] for low in range(0, len(stream), step)))
    assert in_pieces[-1] == GOOD, "the same, a few bytes at a time"


def test_a_header_may_have_other_lines_other_case_and_bare_newlines():
    body = b'{"a":1}'
    assert fed(b"content-type: x\r\ncontent-length:7\r\n\r\n" + body) == [{"a": 1}]
    assert fed(b"Content-Length: 7\n\n" + body) == [{"a": 1}]


def test_what_was_malformed_is_not_quoted():
    (message,) = fed(b"Content-Length: 8\r\n\r\n{secret}")
    assert isinstance(message, Malformed) and "secret" not in message.reason
