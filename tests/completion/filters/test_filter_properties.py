"""What holds for the filters on any bytes, in any language: nothing raises, nothing is lost, no cost
grows faster than the text, and what was filtered once is filtered."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from completion.filters import pipeline
from completion.filters.balance import apply as balanced
from completion.filters.cursor import Cursor
from completion.filters.draft import Draft
from completion.filters.eol import unify
from completion.filters.reasons import REASONS
from completion.filters.stop_rule import StopReason, StopRule
from completion.syntax.languages import LANGUAGES, language_for

PARTS = [
    b"return total(x)", "é".encode(), "世".encode(), "🙂".encode(),
    b"\n", b"\n    ", b"\n\t", b"\r\n", b"\r", b" ", b"  ", b"(", b")", b"[", b"]", b"{", b"}", b'"',
    b"'", b"`",
    b'"""', b"\\", b"#", b"//", b"/*", b"*/", b"<", b">", b"<div>", b"</div>", b"<|", b"|>", b"<|endoftext|>",
    b"<|endo", b"<fim_", b"[SUFFIX]", b"name", b"x = 1", b"if", b"then", b"end", b"do", b"fi",
    b"};", b";", b",", b":", b"f'{", b'r#"', b'"#', b"<<EOF\n", b"EOF\n", b"${",
    b"\xe4", b"\xff", b"\x00", b"1", b"22",
]  # fmt: skip
code = st.lists(st.sampled_from(PARTS), max_size=12).map(b"".join)
anything = st.one_of(code, st.binary(max_size=24))


@st.composite
def cursors(draw: st.DrawFn, text: st.SearchStrategy[bytes] = anything) -> Cursor:
    return Cursor(
        prefix=draw(text),
        suffix=draw(text),
        language=draw(st.sampled_from([None, *LANGUAGES])),
        eol=draw(st.sampled_from([b"\n", b"\r\n", b"\r"])),
        least=draw(st.sampled_from([0, 3])),
    )


@settings(max_examples=400, deadline=None)
@given(cursors(), anything, st.booleans())
def test_any_bytes_have_an_answer_or_a_reason_and_the_suffix_loses_closers_only(
    cursor: Cursor, generated: bytes, ended: bool
) -> None:
    result = pipeline.run(generated, cursor, line_ended=ended)
    assert bool(result.declined) != bool(result.text.strip())
    assert result.declined in ("", *REASONS)
    lost, kept = cursor.suffix[: result.replace_after], cursor.suffix[result.replace_after :]
    assert not lost.strip(b")]}\"'`")
    assert lost + kept == cursor.suffix
    assert len(result.text) <= 2 * len(generated) + 1


@settings(max_examples=200, deadline=None)
@given(cursors(), anything, st.sampled_from([StopReason.MODEL, StopReason.LENGTH]))
def test_what_comes_through_stop_rule_and_filters_is_a_part_of_what_was_generated(
    cursor: Cursor, generated: bytes, end: StopReason
) -> None:
    rule = StopRule(cursor)
    rule.feed(generated)
    stop = rule.finish(end)
    result = pipeline.run(rule.middle, cursor, line_ended=stop.line_ended)

    def plain(text: bytes) -> bytes:
        return text.replace(b"\r", b"").replace(b"\n", b"")

    assert plain(result.text) in plain(generated)


@settings(max_examples=400, deadline=None)
@given(cursors(code), code)
def test_filtering_twice_changes_nothing(cursor: Cursor, generated: bytes) -> None:
    assume(cursor.eol != b"\r")  # alone it is dropped in what a model writes
    once = pipeline.run(generated, cursor)
    # Where closers are replaced the second run would read closers that are not there any more.
    assume(not once.declined and not once.replace_after)
    rest = cursor.suffix
    # A middle may end as the text behind it begins (`ab` in front of `ab`): that much is taken off
    # each time, and only the first time it is what the model repeated.
    assume(not any(once.text.endswith(rest[:size]) for size in range(1, len(rest) + 1)))
    assert pipeline.run(once.text, cursor, line_ended=_goes_on(generated, once.text)) == once


def _goes_on(generated: bytes, text: bytes) -> bool:
    """Tell whether the model ended the line that ``text`` ends with; blanks in front aside."""
    generated, text = unify(generated).lstrip(b" \t"), unify(text).lstrip(b" \t")
    rest = generated[len(text) :] if generated.startswith(text) else b""
    return rest.lstrip(b" \t").startswith(b"\n")


@settings(max_examples=200, deadline=None)
@given(cursors(code), code)
def test_a_line_that_was_cut_at_a_balanced_place_is_balanced(
    cursor: Cursor, generated: bytes
) -> None:
    generated = unify(generated)
    once = balanced(Draft(text=generated, generated=generated), cursor)
    assert isinstance(once, Draft)
    assert generated.startswith(once.text)
    assert balanced(once, cursor) == once


LINES = b"    value_%d = compute(first_%d, [second, third], 'text') + other.method(a, b, c)\n"


def _text(size: int) -> bytes:
    count = size // len(LINES)
    return b"".join(LINES % (n * n % 7919, n * n % 104729) for n in range(count))


def _seconds(text: bytes, suffix: bytes) -> float:
    cursor = Cursor(
        prefix=b"def f():\n    x = ", suffix=suffix, language=language_for("python", ""), least=3
    )
    begin = time.process_time()  # of this process alone: the machine may be busy
    pipeline.run(text, cursor)
    return time.process_time() - begin


@pytest.mark.parametrize("shape", ["lines", "one line", "suffix", "brackets"])
def test_a_megabyte_costs_four_times_what_a_quarter_of_it_does(shape: str) -> None:
    def cost(size: int) -> float:
        text, suffix = _text(size), b"\n"
        if shape == "one line":
            text = text.replace(b"\n", b";")
        elif shape == "suffix":
            text, suffix = _text(4096).replace(b"\n", b";"), _text(size).replace(b"\n", b";")
        elif shape == "brackets":
            text, suffix = b"f(a, [b], " * (size // 80), b") + 1\n"
        return _seconds(text, suffix)

    small, large = cost(1 << 18), cost(1 << 20)
    assert large < 10 * small + 0.5  # 4 is the aim; a quadratic one is 16
