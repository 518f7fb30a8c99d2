"""What holds for any text, any suffix and any pieces: streaming, whole characters, closers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from completion.filters import pipeline
from completion.filters.cursor import Cursor, Lines
from completion.filters.stop_rule import Stop, StopReason, StopRule
from completion.filters.stream import Stream
from completion.syntax.languages import language_for

PYTHON = language_for("python", "")

PARTS = [
    b"\n", b"\n", b"\r\n", b"\r", b"    ", b"\t", b" ", b"  ", b"x", b"y = 1", b"return", b"return total(x)",
    b"pass", b"else:", b"if x:", b"def f(x):", b"class A:", b"(", b")", b"[", b"]", b"{", b"}", b'"', b"'",
    b'"""', b"\\", b"#", b",", b":", b"f'", b"name", b"z = [0, 0]", "é".encode(), "🙂".encode(), b"0, " * 50,
    b"<|endoftext|>", b"\n    a = 1\n", b"\n    a = 1\n", b"\n    return total(x)\n", b"\n    pass", b"foo(",
]  # fmt: skip
text = st.lists(st.sampled_from(PARTS), max_size=14).map(b"".join)
noise = st.binary(max_size=6)
PREFIXES = [
    b"", b"def f(x):\n", b"def f(x):\n    ", b"def f(x):", b"x = [\n    ",
    b"class A:\n    def f(self):\n        y = 1\n        ",
    b"foo(", b'foo("', b"# note", b'def f():\n    """Doc."""\n    ', b"if x:\n\t", b"y = ",
    b"def f(x):\r\n    ",
]  # fmt: skip
cursors = st.builds(
    Cursor,
    prefix=st.one_of(st.sampled_from(PREFIXES), text),
    suffix=text,
    language=st.sampled_from([PYTHON, PYTHON, None]),
    lines=st.sampled_from(Lines),
    eol=st.sampled_from([b"\n", b"\r\n"]),
    least=st.sampled_from([0, 0, 3]),
)
block_cursors = st.builds(
    Cursor,
    prefix=st.sampled_from(PREFIXES),
    suffix=st.one_of(st.just(b""), text.map(lambda part: b"\n" + part), text),
    language=st.sampled_from([PYTHON, None]),
    lines=st.sampled_from([Lines.AUTO, Lines.MULTI]),
    eol=st.sampled_from([b"\n", b"\r\n"]),
    least=st.sampled_from([0, 0, 3]),
)
ends = st.sampled_from([StopReason.MODEL, StopReason.LENGTH])
ends_and_pieces = st.tuples(ends, st.lists(st.integers(1, 9), min_size=1, max_size=5))


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    found: list[bytes] = []
    pos = turn = 0
    while pos < len(data):
        found.append(data[pos : pos + sizes[turn % len(sizes)]])
        pos, turn = pos + len(found[-1]), turn + 1
    return found


def stop_of(cursor: Cursor, parts: list[bytes], end: StopReason) -> tuple[Stop, bytes]:
    rule = StopRule(cursor)
    for part in parts:
        stop = rule.feed(part)
        if stop:
            return stop, rule.middle
    stop = rule.finish(end)
    return stop, rule.middle


@settings(max_examples=250, deadline=None)
@given(st.one_of(cursors, block_cursors), text, ends_and_pieces)
def test_what_is_streamed_makes_up_the_whole_answer_and_is_never_taken_back(
    cursor: Cursor, generated: bytes, how: tuple[StopReason, list[int]]
) -> None:
    rule = StopRule(cursor)
    stream = Stream(rule)
    sent = []
    for part in pieces(generated, how[1]):
        stop = rule.feed(part)
        chunk = stream.advance()
        if chunk:
            sent.append(chunk)
        if stop:
            break
    stop = rule.finish(how[0])
    fed = generated[: stop.length]
    last, result = stream.close()
    if last:
        sent.append(last)
    assert b"".join(chunk.text for chunk in sent) == result.text
    assert result == pipeline.run(fed, cursor, line_ended=stop.line_ended)
    assert all(chunk.replace_after == result.replace_after for chunk in sent)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(cursors, block_cursors),
    st.one_of(text, noise, st.tuples(text, noise).map(b"".join)),
    ends_and_pieces,
)
def test_where_it_stops_does_not_depend_on_the_pieces(
    cursor: Cursor, generated: bytes, how: tuple[StopReason, list[int]]
) -> None:
    whole = stop_of(cursor, [generated], how[0])
    assert stop_of(cursor, pieces(generated, how[1]), how[0]) == whole
    assert stop_of(cursor, pieces(generated, [1]), how[0]) == whole


@settings(max_examples=150, deadline=None)
@given(cursors, text)
def test_only_closers_are_replaced_and_line_ends_are_the_documents(
    cursor: Cursor, generated: bytes
) -> None:
    result = pipeline.run(generated, cursor)
    assert not cursor.suffix[: result.replace_after].strip(b")]}\"'`")
    text = result.text
    if cursor.inside_line_end and text:  # the other halves of its first and last are there already
        assert (text[:1], text[-1:]) == (b"\n", b"\r")
        text = text[1:-1]
    lines = text.split(cursor.eol)
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert bool(result.text.strip()) != bool(result.declined)


@settings(max_examples=120, deadline=None)
@given(cursors, st.tuples(text, noise, text).map(b"".join), st.integers(0, 40))
def test_every_cut_leaves_whole_characters(cursor: Cursor, generated: bytes, cut: int) -> None:
    _, middle = stop_of(cursor, [generated[:cut]], StopReason.LENGTH)
    pipeline.run(middle, cursor).text.decode()
    middle.decode()


@settings(max_examples=120, deadline=None)
@given(cursors, text)
def test_single_line_mode_gives_one_line_at_most(cursor: Cursor, generated: bytes) -> None:
    single = Cursor(
        prefix=cursor.prefix,
        suffix=cursor.suffix,
        language=cursor.language,
        lines=Lines.SINGLE,
        eol=cursor.eol,
    )
    stop, middle = stop_of(single, [generated], StopReason.MODEL)
    assert b"\n" not in middle.rstrip()
    assert stop.reason in StopReason


@settings(max_examples=120, deadline=None)
@given(block_cursors, text, ends_and_pieces)
def test_what_is_called_final_is_part_of_the_middle(
    cursor: Cursor, generated: bytes, how: tuple[StopReason, list[int]]
) -> None:
    rule = StopRule(cursor)
    final = [0]
    for part in pieces(generated, how[1]):
        stop = rule.feed(part)
        final.append(rule.final_bytes)
        if stop:
            break
    assert final == sorted(final)
    assert final[-1] <= rule.finish(how[0]).length
