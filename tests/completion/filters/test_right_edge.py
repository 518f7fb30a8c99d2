"""The right edge: the text behind the cursor may begin inside a word, a character or a line end.

What is inserted neither repeats the first bytes of that text nor loses bytes of its own. Words of
few letters, so that ends and beginnings are alike more often than in any file.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from completion.filters import pipeline
from completion.filters.cursor import Cursor, Lines
from completion.filters.stop_rule import StopReason, StopRule
from completion.syntax.languages import language_for

PYTHON = language_for("python", "")
HEADS = [b"", b"x = ", b"if Not ", b"f(", b"    y.", b"def g():\n    return ", b"a = [", b"# "]
TAILS = [
    b"",
    b"(a, b):",
    b")",
    b" + 1",
    b", c)",
    b"\n    return x\n",
    b" = 3\ny = 4\n",
    b"[0].z\n",
    b"'",
]
OTHERS = [b"(c, d)", b"[1]", b" = 2\n", b", z\nw", b".q()", b": int\n", b" + (e)", b'.r("s")']
ELSEWHERE = [(tail, other) for tail in TAILS for other in OTHERS if not tail.startswith(other[:1])]
ends = st.sampled_from([StopReason.MODEL, StopReason.LENGTH])
NOTHING_NEW = ("filtered:blank", "filtered:torn_character", "filtered:suffix_overlap")


def parts_of_words(*sizes: int, alphabet: str = "abEq_1é世🙂") -> st.SearchStrategy[list[bytes]]:
    """A word in three parts, each of at least so many characters; then cut at any byte of it."""
    texts = [st.text(alphabet, min_size=size, max_size=size + 2) for size in sizes]
    return st.tuples(*texts).map(lambda found: [text.encode() for text in found])


@st.composite
def cut_words(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """A word in three parts, cut between any of its bytes; the last one is not empty."""
    word = b"".join(draw(parts_of_words(0, 1, 1)))
    first, second = sorted(draw(st.integers(0, len(word) - 1)) for _ in range(2))
    return word[:first], word[first:second], word[second:]


def cursor_of(prefix: bytes, suffix: bytes, **options) -> Cursor:
    return Cursor(prefix=prefix, suffix=suffix, language=PYTHON, **options)


def shown(
    cursor: Cursor, generated: bytes, end: StopReason, step: int = 1 << 20
) -> pipeline.Result:
    rule = StopRule(cursor)
    for start in range(0, len(generated), step):
        if rule.feed(generated[start : start + step]):
            break
    rule.finish(end)
    return pipeline.run(rule.middle, cursor)


def part(text: bytes) -> bool:
    """No chance explains that a middle ends like this."""
    inside_character = 0x80 <= text[0] < 0xC0
    return inside_character or (len(text) >= 2 and not text.isdigit())


def overlaps(text: bytes, suffix: bytes) -> bool:
    sizes = range(1, min(len(text), len(suffix)) + 1)
    return any(text.endswith(suffix[:n]) and part(suffix[:n]) for n in sizes)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(HEADS), cut_words(), st.sampled_from(TAILS), ends)
@example(b"", (b"ca", b"l", b"l"), b"(x)", StopReason.MODEL)
def test_a_middle_that_ends_inside_a_word_is_shown_as_it_is(head, word, tail, end):
    before, middle, rest = word
    prefix, suffix = head + before, rest + tail
    assume(middle and prefix.rpartition(b"\n")[2] and not overlaps(middle, suffix))
    assume(before or middle != rest)  # a word of its own that is there already
    result = shown(cursor_of(prefix, suffix), middle, end)
    assert (result.text, result.replace_after, result.declined) == (middle, 0, "")


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(HEADS), cut_words(), st.sampled_from(TAILS), ends, st.integers(1, 4), st.data()
)
def test_a_model_that_runs_over_the_edge_repeats_nothing(head, word, tail, end, step, data):
    before, middle, rest = word
    prefix, suffix = head + before, rest + tail
    over = data.draw(st.integers(min(2, len(suffix)), len(suffix)))
    generated = middle + suffix[:over]
    longer = range(over + 1, min(len(generated), len(suffix)) + 1)
    assume(part(rest[:over]) and not overlaps(middle, suffix))
    assume(not any(generated.endswith(suffix[:size]) for size in longer))
    assume(prefix.rpartition(b"\n")[2])
    assume(not 0x80 <= next(iter(suffix[over:]), 0) < 0xC0)  # it ends with a character
    result = shown(cursor_of(prefix, suffix), generated, end, step)
    if middle:
        assert (result.text, result.replace_after, result.declined) == (middle, 0, "")
    else:
        assert result.declined in NOTHING_NEW


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(HEADS), parts_of_words(1, 0, 2, alphabet="abEq_"), st.sampled_from(ELSEWHERE), ends
)  # fmt: skip
def test_a_model_that_finishes_the_word_and_goes_on_otherwise_is_cut_before_it(
    head, word, around, end
):
    before, middle, rest = word
    tail, other = around
    generated = middle + rest + other
    # a longer overlap at the very end, and one of the middle itself, are cases of their own
    ended = generated.split(b"\n")[0]
    assume(not overlaps(middle, rest + tail) and not overlaps(ended, rest + tail))
    result = shown(cursor_of(head + before, rest + tail), generated, end)
    assert result.text == middle
    assert result.declined == ("" if middle else "filtered:blank")


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(HEADS),
    cut_words(),
    st.sampled_from(TAILS),
    st.lists(st.sampled_from([*TAILS, *OTHERS, b"\n", b" ", b"ab", b"Eq", b"_1", "é".encode()]), max_size=5),
    ends,
    st.sampled_from(Lines),
)  # fmt: skip
def test_what_is_shown_begins_what_was_generated_and_no_end_of_it_is_there_already(
    head, word, tail, more, end, lines
):
    before, middle, rest = word
    suffix, generated = rest + tail, middle + b"".join(more)
    cursor = cursor_of(head + before, suffix, lines=lines)
    result = shown(cursor, generated, end)
    if result.declined:
        assert result.text == b""
        return
    assert not suffix[: result.replace_after].strip(b")]}\"'`")
    # a blank too many in front is taken off
    assert generated.lstrip(b" ").startswith(result.text.strip(b" \n"))
    line = suffix[result.replace_after :].split(b"\n")[0]
    if cursor.place.between or b"\n" in generated.rstrip(b"\n"):
        return
    solid = generated.rstrip(b"\n")
    size = max((n for n in range(1, len(line) + 1) if solid.endswith(line[:n])), default=0)
    if size and line[:size].isalpha() and part(line[:size]):
        assert len(result.text) <= len(solid) - size


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(HEADS),
    cut_words(),
    st.sampled_from(TAILS),
    st.lists(st.sampled_from([b" ", b"  ", b"\n", *TAILS, *OTHERS]), max_size=4).map(b"".join),
    ends,
    st.booleans(),
)
@example(b"x = ", (b"", b"sur", b"name"), b"", b" \n", StopReason.MODEL, True)
def test_where_it_stops_does_not_depend_on_the_pieces_at_the_edge_either(
    head, word, tail, more, end, over
):
    before, middle, rest = word
    cursor, generated = cursor_of(head + before, rest + tail), middle + rest * over + more
    assert shown(cursor, generated, end, step=1) == shown(cursor, generated, end)


@settings(max_examples=200, deadline=None)
@given(
    st.text("é世🙂a", min_size=1, max_size=4).map(str.encode),
    st.sampled_from(TAILS),
    ends,
    st.data(),
)
def test_a_text_cut_at_any_byte_is_whole_again(word, tail, end, data):
    word = b'x = "' + word
    start = data.draw(st.integers(5, len(word)))
    stop = data.draw(st.integers(start, len(word)))
    suffix = word[stop:] + tail
    over = data.draw(st.integers(0, len(word) - stop))
    middle, generated = word[start:stop], word[start : stop + over]
    assume(not overlaps(middle, suffix))
    sizes = range(over + 1, min(len(generated), len(suffix)) + 1)
    assume(not any(generated.endswith(suffix[:n]) for n in sizes))
    result = shown(cursor_of(word[:start], suffix), generated, end)
    if not result.declined:
        (word[:start] + result.text + suffix).decode()
    if over == 0 and middle:
        assert result.text == middle


def test_a_character_that_the_cursor_is_inside_of_is_never_torn():
    whole = "🙂".encode()
    for cut in (1, 2, 3):
        cursor = cursor_of(b'x = "' + whole[:cut], whole[cut:] + b'"\n')
        for generated in (b"value", whole[cut:], whole, b"\x80", whole[cut:] + b" ok", b"\n"):
            result = shown(cursor, generated, StopReason.MODEL)
            assert result.text == b"", generated
            assert result.declined in NOTHING_NEW
        again = whole[cut:] + b" and " + whole[:cut]
        assert shown(cursor, again, StopReason.MODEL).text == again


CRLF = [b"x = 1\r\n", b"def f():\r\n", b"    y = 2\r\n", b"\r\n"]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(CRLF), min_size=1, max_size=3).map(b"".join),
    st.sampled_from(Lines),
    st.sampled_from([b"\n    return 3", b"\n    z = 1\n    u", b" + 1", b"\r\n    z = 1", b"\n\n"]),
)
def test_a_line_end_that_the_cursor_is_inside_of_is_never_torn(document, lines, generated):
    cursor = cursor_of(document[:-1], document[-1:], eol=b"\r\n", lines=lines)
    result = shown(cursor, generated, StopReason.MODEL)
    if result.declined:
        assert result.text == b""
        assert result.declined in ("filtered:eol", "filtered:blank", "filtered:duplicate_line")
        return
    made = document[:-1] + result.text + document[-1:]
    assert made.count(b"\r\n") == made.count(b"\r") == made.count(b"\n")
    assert made.startswith(document)
    assert made.replace(b"\r\n", b"\n").strip() != document.replace(b"\r\n", b"\n").strip()


def test_new_lines_can_be_put_into_a_line_end_and_more_of_the_line_cannot():
    cursor = cursor_of(b"def f():\r", b"\nx = 1\r\n", eol=b"\r\n")
    new = shown(cursor, b"\n    return 3\n", StopReason.MODEL)
    assert cursor.prefix + new.text + cursor.suffix == b"def f():\r\n    return 3\r\nx = 1\r\n"
    same = cursor_of(b"x = 1\r", b"\ny = 2\r\n", eol=b"\r\n")
    assert shown(same, b" + 2", StopReason.MODEL).declined == "filtered:eol"


@pytest.mark.parametrize(
    ("prefix", "generated", "suffix", "expected"),
    [
        (b"import os\n", b"import sys\ni", b"mport re\n", b"import sys\ni"),
        (b"import os\n", b"import sys\nawait ", b"run()\n", b"import sys\nawait "),
        (b"def f():\n", b"    x = 1\n    y = 2", b"    return y\n", b"    x = 1\n    y = 2\n"),
        (b"import os\n", b"import sys\nimport abc\n", b"def f():\n", b"import sys\nimport abc\n"),
    ],
)
def test_a_line_begun_before_the_start_of_a_line_goes_on_in_it(prefix, generated, suffix, expected):
    cursor = cursor_of(prefix, suffix, lines=Lines.MULTI)
    assert shown(cursor, generated, StopReason.MODEL).text == expected


@pytest.mark.parametrize(
    ("document", "middle"),
    [
        (b"Equal = Eqqual = 1\n", b"Eq"),
        (b"Equal = 1\n", b"E"),
        (b"Eqqual = 1\n", b"Eq"),
        (b"NotEqual = 1\n", b"Eq"),
        (b"", b"Eq"),
    ],
)
def test_of_one_letter_the_document_tells_which_word_is_meant(document, middle):
    for cursor in (
        cursor_of(document + b"if Not ", b"qual(a, b):\n"),
        cursor_of(b"if Not ", b"qual(a, b):\n" + document),
    ):
        assert shown(cursor, b"Eq", StopReason.MODEL).text == middle


def test_what_touches_the_cursor_is_no_word_that_the_document_has():
    assert not cursor_of(b"x = total", b"qual(a)\n").knows(b"qual")
    assert not cursor_of(b"x = total", b"qual(a)\n").knows(b"total")
    assert cursor_of(b"x = qual + total", b"qual(a)\n").knows(b"qual")
