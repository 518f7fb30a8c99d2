"""Whether a middle ends where it should: two figures that need no judgement.

Most of what makes a small model useful is to stop in time. That a text is wrong does not say that
it was stopped wrongly; so one figure is of those texts alone that are right as far as they go, and
the other looks at nothing but the number of lines. What ended a text is not asked here: results
have both figures for each stop reason.
"""

from __future__ import annotations

BY_MODEL = "model"
"""``Answer.raw_end`` where the model gave its end token; else its token limit or an error did."""


def ended_by_model(raw_end: str) -> float:
    """Return 1 if the model ended the middle itself, else 0."""
    return float(raw_end == BY_MODEL)


def ended_rightly(text: str, reference: str) -> float | None:
    """Return 1 if ``text`` ends where the reference does, 0 if before it or behind it.

    ``None`` where that cannot be said, because the two differ before either ends: a word counts as
    a whole. Blanks around both are left aside. Nothing at all ends before any reference.
    """
    ours, theirs = text.strip(), reference.strip()
    if ours == theirs:
        return 1.0
    shorter, longer = sorted((ours, theirs), key=len)
    if not longer.startswith(shorter):
        return None
    in_a_word = shorter and _is_of_a_word(shorter[-1]) and _is_of_a_word(longer[len(shorter)])
    return None if in_a_word else 0.0


def lines_right(text: str, reference: str) -> float:
    """Return 1 if ``text`` has as many lines as the reference, else 0; blank ends left aside."""
    return float(text.strip().count("\n") == reference.strip().count("\n"))


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or character == "_"
