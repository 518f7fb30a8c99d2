"""Exact match, in the three readings that published protocols mean by it."""

from __future__ import annotations


def exact_match(completion: str, reference: str) -> float:
    """Return 1 if the two are equal once blanks around them are stripped, else 0.

    SantaCoder-FIM's rule (Allal et al. 2023, section 6.1), and what a bare "EM" means here.
    """
    return float(completion.strip() == reference.strip())


def exact_text(completion: str, reference: str) -> float:
    """Return 1 if the two are the same to the last blank, else 0: byte for byte, once encoded."""
    return float(completion == reference)


def exact_words(completion: str, reference: str) -> float:
    """Return 1 if the two are equal but for the width of their blanks, else 0.

    The rule of RepoBench (Liu et al. 2023) and of CodeXGLUE's line evaluator. Blanks may differ in
    kind and number, not in being there: ``f(x)`` and ``f( x )`` are not equal.
    """
    return float(completion.split() == reference.split())
