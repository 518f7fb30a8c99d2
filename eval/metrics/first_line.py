"""RepoBench's protocol: the first line of a completion that is code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Comments:
    """How a language writes what the protocol skips."""

    line: str
    opens: tuple[str, ...]
    closes: tuple[str, ...]


_PYTHON = _Comments("#", ('"""', "'''"), ('"""', "'''"))
_C_LIKE = _Comments("//", ("/*",), ("*/",))


def truncate_line(text: str, language: str) -> str:
    """Return the first line that is neither blank nor a comment, blanks around it kept.

    The published script's rule for Python and Java (Liu et al. 2023); other languages as Java.
    A line that opens a block comment (or a docstring) is skipped, and all lines up to one that
    *ends* with a closer; so one that opens and closes on one line skips on until the next closer.
    Where no line is code, the first line that is there at all is returned.
    """
    marks = _PYTHON if language == "python" else _C_LIKE
    lines = text.lstrip("\n").split("\n")
    inside = False
    for line in lines:
        solid = line.strip()
        if not solid:
            continue
        if inside:
            inside = not solid.endswith(marks.closes)
        elif solid.startswith(marks.opens):
            inside = True
        elif not solid.startswith(marks.line):
            return line
    return lines[0]
