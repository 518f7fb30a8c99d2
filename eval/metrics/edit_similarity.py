"""Edit similarity (ES): how much of two texts need not be typed again."""

from __future__ import annotations

from rapidfuzz import fuzz


def edit_similarity(a: str, b: str) -> float:
    """Return the similarity of two texts, 0 to 1: ``fuzz.ratio`` / 100.

    1 - d / (len(a) + len(b)), where d counts inserted and deleted characters (a replaced one is
    both). Nothing is stripped and case counts. Two empty texts are alike: 1; one empty text: 0.
    Not rounded; published scripts use fuzzywuzzy, which rounds each item to whole percents, so
    a mean may differ in its third digit.
    """
    return fuzz.ratio(a, b) / 100
