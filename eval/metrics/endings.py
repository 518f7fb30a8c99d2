"""Whether a middle was ended by the model, and whether it was right to.

Most of what makes a small model useful is to stop in time; these two shares show it.
"""

from __future__ import annotations

BY_MODEL = "model"
"""``Answer.raw_end`` where the model gave its end token; else its token limit or an error did."""


def ended_by_model(raw_end: str) -> float:
    """Return 1 if the model ended the middle itself, else 0."""
    return float(raw_end == BY_MODEL)


def ended_rightly(completion: str | None, raw_end: str, reference: str) -> float:
    """Return 1 if the model ended the middle itself and in the right place, else 0.

    In the right place: the text is the reference, blanks around both aside. So a right text that
    only the token limit ended does not count, nor does no answer at all (``None``).
    """
    if completion is None or raw_end != BY_MODEL:
        return 0.0
    return float(completion.strip() == reference.strip())
