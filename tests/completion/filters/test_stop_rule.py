"""The stop rule beyond its golden file: the wire's numbers, final lines, the cost of a token."""

from __future__ import annotations

import time

import pytest

from completion.filters.cursor import Cursor, Lines
from completion.filters.stop_rule import Stop, StopReason, StopRule
from completion.filters.stream import Stream
from completion.syntax.blocks import Goal
from completion.syntax.languages import language_for
from completion.wire import completion_pb2

PYTHON = language_for("python", "")


def test_reasons_and_lines_have_the_numbers_of_the_wire() -> None:
    wire = {name.removeprefix("STOP_REASON_"): n for name, n in completion_pb2.StopReason.items()}
    assert wire.pop("UNSPECIFIED") == 0
    assert wire == {reason.name: reason.value for reason in StopReason}
    options = completion_pb2.GenerationOptions.Lines.items()
    assert dict(options) == {f"LINES_{lines.name}": lines.value for lines in Lines}


def test_a_line_is_final_once_it_cannot_be_the_text_after_the_cursor() -> None:
    cursor = Cursor(
        prefix=b"while x:\n    ",
        suffix=b"\n    pass\n    end()\n",
        language=PYTHON,
        lines=Lines.MULTI,
    )
    rule = StopRule(cursor)
    assert rule.feed(b"y = 1\n") is None
    assert rule.final_bytes == len(b"y = 1")
    assert rule.feed(b"    pass\n") is None
    assert rule.final_bytes == len(b"y = 1")
    assert rule.feed(b"    z = 2\n") is None
    assert rule.final_bytes == len(b"y = 1\n    pass\n    z = 2")


def test_the_line_after_the_last_final_one_is_not_final() -> None:
    rule = StopRule(Cursor(prefix=b"def f():\n    ", suffix=b"", language=PYTHON))
    rule.feed(b"x = 1\n    y")
    assert rule.final_bytes == len(b"x = 1")


def test_nothing_is_streamed_before_the_first_line_is_final_and_lines_come_one_by_one() -> None:
    rule = StopRule(
        Cursor(prefix=b"def f():\r\n    ", suffix=b"\r\n", language=PYTHON, eol=b"\r\n")
    )
    stream = Stream(rule)
    sent: list[bytes] = []
    for part in (b"x", b" = 1", b"\n", b"    y = 2", b"\n", b"    return y", b"\n"):
        assert rule.feed(part) is None
        chunk = stream.advance()
        sent.append(chunk.text if chunk else b"")
    assert sent == [b"", b"", b"x = 1", b"", b"\r\n    y = 2", b"", b"\r\n    return y"]
    last, result = stream.close()
    assert last is None
    assert result.text == b"x = 1\r\n    y = 2\r\n    return y"


def test_the_clients_scope_overrules_a_prefix_that_was_cut_inside_a_string() -> None:
    cursor = Cursor(prefix=b"words if x:", suffix=b"", language=PYTHON, scope="docstring")
    assert StopRule(cursor).goal is Goal.LINE
    assert StopRule(Cursor(prefix=b"if x:", suffix=b"", language=PYTHON)).goal is Goal.BODY


def test_a_cursor_inside_a_character_gets_the_rest_of_it() -> None:
    whole = "🙂".encode()
    rule = StopRule(Cursor(prefix=b'x = "' + whole[:1], suffix=b"", language=PYTHON))
    assert rule.feed(whole[1:2]) is None
    assert rule.feed(whole[2:] + b'"\n') == Stop(reason=StopReason.LINE, length=4, line_ended=True)


def test_an_invalid_byte_ends_the_middle_before_it() -> None:
    rule = StopRule(Cursor(prefix=b"x = ", suffix=b"", language=PYTHON))
    assert rule.feed(b"ab\xffcd") == Stop(reason=StopReason.MODEL, length=2)


@pytest.mark.parametrize("size", [1_000, 1_000_000])
def test_a_token_costs_its_own_bytes_however_long_the_prefix(size: int) -> None:
    rule = StopRule(long_cursor(size))
    body = b"value = compute(first, [1, 2])\n    other(value)\n    "
    fed = 0
    for index in range(200):
        piece = body.replace(b"value", b"v%d" % index)
        assert rule.feed(piece) is None
        fed += len(piece)
    assert 0 < rule.lexed_bytes <= fed + len(b"    ")


def long_cursor(size: int) -> Cursor:
    unit = b'def g(a, b=(1, 2)):\n    """Say what."""\n    return {"a": [a, b], "c": f"{a}"}\n\n\n'
    prefix = unit * (size // len(unit)) + b"def f(x):\n    "
    return Cursor(prefix=prefix, suffix=b"\n", language=PYTHON)


def benchmark() -> None:
    """Print what reading a prefix of 1 MB and 200 tokens behind it cost."""
    cursor = long_cursor(1_000_000)
    start = time.perf_counter()
    rule = StopRule(cursor)
    ready = time.perf_counter()
    for index in range(200):
        rule.feed(b"v%d = compute(x)\n    " % index if index % 4 == 3 else b"a + ")
    done = time.perf_counter()
    print(f"prefix {1e3 * (ready - start):.1f} ms, token {1e6 * (done - ready) / 200:.1f} us")


if __name__ == "__main__":
    benchmark()
