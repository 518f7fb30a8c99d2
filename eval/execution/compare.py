"""Whether a program's output is the expected one.

The rule of ExecEval (Khan et al., "xCodeEval", arXiv:2303.03004), which SAFIM is scored with, in own
words: equal line by line once blanks at both ends of each line and of the whole are left out; or
equal word by word, where two numbers may differ by 10^-12 and yes, no, true and false by case.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

TOLERANCE = Decimal("1e-12")
_ANY_CASE = {"yes", "no", "true", "false"}


def matches(output: str, expected: Iterable[str]) -> bool:
    """Return whether the output is one of those expected."""
    return any(_same(output.strip(), one.strip()) for one in expected)


def _same(ours: str, theirs: str) -> bool:
    if [line.strip() for line in ours.split("\n")] == [line.strip() for line in theirs.split("\n")]:
        return True
    words, expected = ours.split(), theirs.split()
    return len(words) == len(expected) and all(map(_same_word, words, expected))


def _same_word(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    try:
        a, b = Decimal(ours), Decimal(theirs)
        if a.is_finite() and b.is_finite():
            return abs(a - b) <= TOLERANCE
        return not a.is_nan() and a == b
    except ArithmeticError:  # no numbers, or none that can be told apart
        return ours.lower() == theirs.lower() and ours.lower() in _ANY_CASE
