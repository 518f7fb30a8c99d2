"""The stop rule on broken code: real files cut anywhere, with their own text behind it or another's.

What it says is checked against what happened, whatever the language: never an exception, never a
byte that the reason does not explain, and time that grows with the text alone.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from completion.filters.cursor import Cursor, Lines
from completion.filters.stop_rule import Stop, StopReason, StopRule
from completion.syntax.blocks import Goal
from completion.syntax.languages import language_for

SAMPLES = sorted((Path(__file__).parents[1] / "syntax" / "samples").iterdir())
STRIDE = 101
"""Every so many bytes a cut; prime, so that cuts fall everywhere in lines. ``main`` tries all."""
FED = 600


def fed(cursor: Cursor, text: bytes, step: int = 7) -> tuple[StopRule, Stop, bytes]:
    """Return the rule, where it stopped, and what it had been fed by then."""
    rule = StopRule(cursor)
    for start in range(0, len(text), step):
        stop = rule.feed(text[start : start + step])
        if stop:
            return rule, stop, text[: start + step]
    return rule, rule.finish(StopReason.LENGTH), text


def check(cursor: Cursor, text: bytes) -> None:
    rule, stop, said = fed(cursor, text)
    assert stop.length <= len(said)
    middle, after = text[: stop.length], said[stop.length :]
    assert middle.replace(b"\r", b"") == rule.middle
    behind = after.lstrip()
    lines = rule.middle.split(b"\n")
    if stop.reason is StopReason.LINE:
        assert b"\n" in after[: len(after) - len(after.lstrip())] or middle.endswith(b"\n")
        assert rule.goal in (Goal.LINE, Goal.STATEMENT)
        assert rule.goal is Goal.STATEMENT or b"\n" not in rule.middle.rstrip()
    elif stop.reason is StopReason.SUFFIX:
        there = [cursor.place.rest.strip(), cursor.place.behind.next, *cursor.next_lines()]
        first = behind[:1] or middle.rstrip()[-1:]
        assert any(first in line for line in there), (first, there)
    elif stop.reason is StopReason.SYNTAX:
        assert rule.goal is not Goal.LINE
        assert rule.middle.strip() or cursor.place.head.strip() or behind
        closes_nothing_twice(cursor, rule.middle)
    elif stop.reason is StopReason.SCOPE:
        assert rule.goal in (Goal.BODY, Goal.SCOPE, Goal.BRACKET, Goal.STATEMENT)
        assert behind, "what is outside has been seen"
    elif stop.reason is StopReason.LENGTH:
        assert said == text
        assert len(lines) == 1 or middle.rstrip() == b"" or rule.goal is not Goal.LINE
    elif stop.reason is StopReason.REPETITION:
        assert rule.middle.count(b"\n") or len(said) > 100 or not behind.strip()
    else:
        assert stop.reason is StopReason.MODEL  # invalid bytes, or a sentinel that is in the file
        assert not after or len(said) < len(text) or stop.length < len(text)


def closes_nothing_twice(cursor: Cursor, middle: bytes) -> None:
    """A complete text leaves none of its own brackets open, unless the text behind closes them."""
    if cursor.language is None or cursor.language.rules.blocks not in ("brace", "end"):
        return
    place = cursor.place
    if place.state.top is not None and place.state.top.is_text:
        return  # the text's end is the end, and the rest of its line belongs to it
    state = place.lines.peek(place.head + middle + b"\n")
    own = [frame for frame in state.stack if frame.start >= place.state.base and not frame.is_text]
    assert not own or place.rest.strip() or cursor.scope, (own, middle)


def cuts(path: Path, stride: int) -> None:
    source = path.read_bytes()
    language = language_for("", path.name)
    for at in range(0, len(source), stride):
        prefix, rest = source[:at], source[at:]
        line_end = rest.find(b"\n")
        line_end = line_end if line_end >= 0 else len(rest)
        far = rest.find(b"\n", line_end + 200)
        other = source[:FED] if at > len(source) // 2 else source[len(source) // 2 :][:FED]
        for suffix in (rest, rest[line_end:], rest[far:] if far >= 0 else b"", b""):
            lines = (Lines.AUTO, Lines.MULTI)[at // stride % 2]
            cursor = Cursor(prefix=prefix, suffix=suffix, language=language, lines=lines)
            check(cursor, rest[:FED])
            if suffix is rest or not suffix:
                check(cursor, other)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_files_cut_anywhere(path: Path) -> None:
    cuts(path, STRIDE)


LONG = {
    "go": b"\tAA = append(x, f(BB, CC))\n",
    "javascript": b"  AA.push({ a: [BB, 2], b: `c ${CC}` });\n",
    "ruby": b"  AA << if BB then b else CC end\n",
    "shellscript": b"  if AA; then BB; CC; fi\n",
    "c": b"\tAA[1] = (struct p){ BB, CC };\n",
}
OPENING = {
    "go": b"func f() {\n\t",
    "javascript": b"function f() {\n  ",
    "ruby": b"def f\n  ",
    "shellscript": b"f() {\n  ",
    "c": b"int f(void)\n{\n\t",
}


@pytest.mark.parametrize("name", sorted(LONG))
def test_each_byte_is_read_once_or_twice_however_long_the_text(name: str) -> None:
    cursor = Cursor(prefix=OPENING[name], suffix=b"", language=language_for(name, ""))
    rule = StopRule(cursor)
    size = 0
    for index in range(400):
        line = LONG[name]
        for place in (b"AA", b"BB", b"CC"):  # names that no counting explains
            line = line.replace(place, bytes(random.choices(b"abcdefghij", k=12)))
        assert rule.feed(line.lstrip() if not index else line) is None, index
        size += len(line)
    assert rule.lexed_bytes <= size + len(OPENING[name])


def test_brackets_without_end_take_time_that_grows_with_the_text() -> None:
    def took(parts: int) -> float:
        language = language_for("c", "")
        cursor = Cursor(prefix=b"f(" * parts, suffix=b")" * parts, language=language)
        inner = parts // 6
        text = b"{(" * inner + b"\n" + b"})" * inner + b"\n" + b")" * parts
        start = time.process_time()
        fed(cursor, text, step=64)
        return time.process_time() - start

    assert min(took(2000) for _ in range(2)) < 9 * min(took(500) for _ in range(3))


if __name__ == "__main__":
    for sample in SAMPLES:
        cuts(sample, 1)
        print(sample.name)
