"""A text that ends inside a bracket or a string of its own is cut at the last balanced place.

A bracket that the text behind the cursor closes is balanced. So is one that ends its line: a block
or a literal begins there. Where the model ended the line itself, the statement goes on in the next
one, and nothing is cut.
"""

from __future__ import annotations

import re

from completion.filters.closers import replaced_by
from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.syntax.boundaries import next_line_start
from completion.syntax.frames import Frame, FrameKind
from completion.syntax.lexer import Lexer

_WINDOW = 2 << 10
"""Bytes behind the cursor that are read for what closes a bracket: some 2 ms, and only where a text
leaves one open."""
_ROUNDS = 8
_MARK = re.compile(rb"(?<![\w\x80-\xff])[A-Za-z]{1,2}\Z")
"""Letters in front of a string that belong to it: `rb"`."""
_BRACKETS = {b"(": b")", b"[": b"]", b"{": b"}"}
_PREFIX, _TEXT, _OWN, _SUFFIX = range(4)
"""Where a bracket was opened: before the cursor, in an earlier line of the text, in its last line,
behind the cursor."""
_Bracket = tuple[bytes, int]
"""What closes it, and where it was opened."""


def apply(draft: Draft, cursor: Cursor) -> Draft | Declined:
    """Cut the last line before the brackets and strings of its own that nothing closes."""
    if draft.line_ended:
        return draft
    replaced = replaced_by(draft.text, cursor)
    text = _whole_strings(draft.text, replaced, cursor)
    for _ in range(_ROUNDS):
        cut = _balanced(text, replaced, cursor)
        if cut == len(text):
            break
        text = text[:cut]
    return draft if text == draft.text else draft.with_text(text.rstrip())


def _balanced(text: bytes, replaced: int, cursor: Cursor) -> int:
    """Return where ``text`` is to be cut; once more, where a bracket left over is closed wrongly."""
    start = text.rfind(b"\n") + 1
    lexer, line, first = _last_line(text, start, cursor)
    stack = lexer.peek(line).stack
    own = [frame for frame in stack if frame.start >= first and frame.closer in _BRACKETS.values()]
    if not own or _hanging(own[-1], line.rstrip(), lexer.base):
        return len(text)
    missing = _missing(_brackets(stack, first, cursor), lexer, line, replaced, cursor)
    if not missing:
        return len(text)
    return start + own[max(0, len(own) - missing)].start - first


def _last_line(text: bytes, start: int, cursor: Cursor) -> tuple[Lexer, bytes, int]:
    """Return the state before the text's last line, that line as the document has it, and the
    lexer's offset of where the text begins in it."""
    lexer, head = cursor.place.lines, cursor.place.head
    if start:
        lexer = lexer.copy()
        lexer.feed(head + text[:start])
        head = b""
    return lexer, head + text[start:], lexer.base + len(head)


def _whole_strings(text: bytes, replaced: int, cursor: Cursor) -> bytes:
    """Return ``text`` up to a string that ends with its line and that nothing closes."""
    start = text.rfind(b"\n") + 1
    lexer, line, first = _last_line(text, start, cursor)
    rest = cursor.place.rest[replaced:] if start == 0 or cursor.place.rest else b""
    for frame in lexer.peek(line).stack:
        own = frame.kind is FrameKind.STRING and frame.one_line and frame.start >= first
        if own and frame in lexer.peek(line + rest).stack:
            return _MARK.sub(b"", text[: start + frame.start - first])
    return text


def _hanging(frame: Frame, line: bytes, base: int) -> bool:
    """Tell whether the bracket is the last thing on the line."""
    return frame.start - base + len(frame.text) >= len(line)


def _brackets(stack: tuple[Frame, ...], first: int, cursor: Cursor) -> list[_Bracket]:
    begins = cursor.place.state.base
    return [
        (frame.closer, _PREFIX if frame.start < begins else _OWN if frame.start >= first else _TEXT)
        for frame in stack
        if frame.closer in _BRACKETS.values()
    ]


def _missing(made: list[_Bracket], lexer: Lexer, line: bytes, replaced: int, cursor: Cursor) -> int:
    """Return how many brackets the text would have to close itself.

    The suffix is read twice, behind the text and behind the cursor alone: a closer that ends a
    bracket of the text may then be missing where it was written for.
    """
    place = cursor.place
    plain = _brackets(place.state.stack, place.state.base, cursor)
    lost = _read(made, lexer, line, replaced, cursor)
    _read(plain, place.lines, place.head, 0, cursor)
    stolen = _count(made, _PREFIX) - _count(plain, _PREFIX)
    return lost + _count(made, _OWN) + max(0, stolen)


def _count(brackets: list[_Bracket], where: int) -> int:
    return sum(1 for _, opened in brackets if opened == where)


def _read(
    brackets: list[_Bracket], lexer: Lexer, line: bytes, replaced: int, cursor: Cursor
) -> int:
    """Read the suffix behind ``line`` and close ``brackets``; return how many of the text's own
    were passed over by a closer of another kind."""
    lexer, lost = lexer.copy(), 0
    suffix = cursor.suffix[:_WINDOW]
    after = next_line_start(suffix, cursor.place)
    parts = [line + cursor.place.rest[replaced:_WINDOW] + b"\n"]
    parts += suffix[after:].splitlines(keepends=True) if after >= 0 else []
    skip = len(line)
    for part in parts:
        base = lexer.base + skip
        pieces = lexer.pieces(part)
        if lexer.recovered:
            break  # a statement begins here: what is still open is not closed any more
        for start, end, kind in pieces:
            if start < base or kind not in ("open", "close"):
                continue
            text = part[start - base + skip : end - base + skip]
            if kind == "open" and text in _BRACKETS:
                brackets.append((_BRACKETS[text], _SUFFIX))
            elif kind == "close":
                lost += _close(brackets, text)
        skip = 0
    return lost


def _close(brackets: list[_Bracket], closer: bytes) -> int:
    """Close the innermost bracket of this kind; return how many of the text's own were inside."""
    for index in range(len(brackets) - 1, -1, -1):
        if brackets[index][0] == closer:
            lost = _count(brackets[index + 1 :], _OWN)
            del brackets[index:]
            return lost
    return 0
