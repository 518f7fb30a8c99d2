"""Whether a completion repeats what already follows the cursor.

The commonest fault of fill-in-the-middle: the model goes on past the middle and writes the suffix
again. Shared structure is no such fault (a closer, an ``else:``, a line that really occurs twice),
so each of the three signs below asks for a telling amount of text, and for more of it than the
reference has.
"""

from __future__ import annotations

import re

TELLING = 4
"""Letters and digits that make a text more than structure; ``end``, ``);`` and ``}`` have fewer."""

_STRUCTURE = frozenset((
    "else:", "else {", "} else {", "try:", "try {", "finally:", "finally {", "pass", "return",
    "return;", "return None", "return True", "return False", "return true;", "return false;",
    "break", "break;", "continue", "continue;", "raise", "yield", "begin", "endif", "done",
    "default:",
))  # fmt: skip
"""Whole lines that code has everywhere."""
_RETURNS = re.compile(r"\r\n?")


def repeats_suffix(completion: str, suffix: str, reference: str) -> bool:
    """Tell whether ``completion`` has text of ``suffix``'s start that ``reference`` has not.

    Any of three signs, none of which a completion equal to the reference can show:

    1. Its end overlaps the suffix's start, from a word's start on, by :data:`TELLING` letters and
       digits, or by the whole rest of the cursor's line if that has any; and the reference's end
       overlaps less. Here structure counts too, ``else:`` right before ``else:``: never closers.
    2. One of its lines ends with the rest of the cursor's line, from a word's start on, if that
       rest is telling; and more of its lines do than of the reference's.
    3. One of its lines is the next line of the suffix that is not blank, indentation aside, and it
       is there more often than in the reference. A line of structure (``else:``, ``return``,
       closers) is a sign only together with the suffix's line after it, and if not both are
       closers.

    Line ends are compared as ``\\n``.
    """
    completion, suffix, reference = (
        _RETURNS.sub("\n", text) for text in (completion, suffix, reference)
    )
    rest, _, below = suffix.partition("\n")
    return (
        _overlaps(completion, suffix, rest, reference)
        or _has_rest(completion, rest, reference)
        or _has_lines(completion, below, reference)
    )


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _starts_word(text: str, at: int) -> bool:
    """Tell whether what stands at ``at`` does not go on a word that began before."""
    return at == 0 or not (_is_word(text[at - 1]) and _is_word(text[at]))


def _overlaps(completion: str, suffix: str, rest: str, reference: str) -> bool:
    for size in range(min(len(completion), len(suffix)), 0, -1):
        if reference.endswith(suffix[:size]):
            return False  # shorter ones are the reference's own
        if not completion.endswith(suffix[:size]):
            continue
        letters = _letters(suffix[:size])
        whole_rest = bool(rest.strip()) and size >= len(rest.rstrip())
        telling = letters >= TELLING or (whole_rest and letters > 0)
        if telling and _starts_word(completion, len(completion) - size):
            return True
    return False


def _has_rest(completion: str, rest: str, reference: str) -> bool:
    rest = rest.strip()
    if _letters(rest) < TELLING:
        return False

    def count(text: str) -> int:
        lines = (line.rstrip() for line in text.split("\n"))
        return sum(
            line.endswith(rest) and _starts_word(line, len(line) - len(rest)) for line in lines
        )

    return count(completion) > count(reference)


def _has_lines(completion: str, below: str, reference: str) -> bool:
    after = _solid_lines(below)[:2]
    if after and _is_telling(after[0]):
        wanted = after[:1]
    elif len(after) == 2 and any(map(_letters, after)):
        wanted = after
    else:
        return False
    return _runs(completion, wanted) > _runs(reference, wanted)


def _is_telling(line: str) -> bool:
    return line not in _STRUCTURE and _letters(line) >= TELLING


def _solid_lines(text: str) -> list[str]:
    stripped = (line.strip() for line in text.split("\n"))
    return [line for line in stripped if line]


def _runs(text: str, wanted: list[str]) -> int:
    """Return how often ``wanted`` stands in ``text``, blank lines aside."""
    lines = _solid_lines(text)
    return sum(lines[at : at + len(wanted)] == wanted for at in range(len(lines)))
