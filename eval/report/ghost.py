"""A completion as an editor would show it: the prefix, the text between, the suffix.

What is seen badly and decides much is marked in the text between: blanks at its edges and at the
ends of lines, tabs, the line break it begins or ends with, bytes that are no character.
"""

from __future__ import annotations

import re

from eval.report.markup import Html, element, join, text

MIDDLE_LINES = 16
MIDDLE_CHARACTERS = 900
WIDTH = 160
"""Characters of a line of context that are shown."""
_MARKS = {" ": "·", "\t": "→\t", "\r": "␍"}


def panel(title: str, prefix: str, middle: str | None, suffix: str, *, lines: int) -> Html:
    """Return ``middle`` between the last ``lines`` lines of ``prefix`` and the first of ``suffix``.

    ``None`` is no suggestion: then the text is shown as it was.
    """
    between = element("ins", marked(middle)) if middle else element("ins", "", kind="nothing")
    code = join((before(prefix, lines), between, after(suffix, max(1, lines // 2))))
    return element(
        "figure", element("figcaption", title), element("pre", element("code", code)), kind="ghost"
    )


def before(prefix: str, lines: int) -> str:
    """Return the end of ``prefix``: its last ``lines`` lines, their ends where they are long."""
    rows = _lines(prefix)[-lines:]
    return "\n".join(row if len(row) <= WIDTH else "…" + row[-WIDTH:] for row in rows)


def after(suffix: str, lines: int) -> str:
    """Return the beginning of ``suffix``: its first ``lines`` lines, their beginnings."""
    rows = _lines(suffix)[:lines]
    return "\n".join(row if len(row) <= WIDTH else row[:WIDTH] + "…" for row in rows)


def marked(middle: str) -> Html:
    """Return ``middle`` with its unseen parts marked, cut to a size that is read."""
    shown = "".join(middle[:MIDDLE_CHARACTERS].splitlines(keepends=True)[:MIDDLE_LINES])
    left = len(middle) - len(shown)
    rows = shown.split("\n")
    last = len(rows) - 1
    parts: list[str] = []
    for number, line in enumerate(rows):
        parts.append(_line(line, first=number == 0, last=number == last and not left))
        if number < last:
            # A break inside is seen; one at an edge is seen only by its mark.
            begins = number == 0 and not line.strip()
            edge = begins or (number == last - 1 and not rows[last])
            parts.append(element("i", "↵", kind="ws") if edge else "")
            parts.append("\n")
    if left:
        parts.append(element("i", f"… and {left} characters more", kind="more"))
    return join(parts)


def _line(line: str, *, first: bool, last: bool) -> Html:
    body = line.strip(" \t\r")
    if not body:
        return _blanks(line) if first or last else text(line)
    start = line.index(body)
    lead, tail = line[:start], line[start + len(body) :]
    inner = [_blanks(part) if part == "\t" else text(part) for part in re.split("(\t)", body)]
    return join((_blanks(lead) if first or "\t" in lead else lead, *inner, _blanks(tail)))


def _blanks(blanks: str) -> Html:
    if not blanks:
        return Html("")
    return element("i", "".join(_MARKS[blank] for blank in blanks), kind="ws")


def _lines(context: str) -> list[str]:
    """Return the lines; in a context a CRLF is a line break like any other."""
    return context.replace("\r\n", "\n").split("\n")
