"""A middle with a question in it: what is left out, and what must be seen to answer it.

Pure. The kinds themselves stand in ``statement``, ``dual`` and ``identifier``.
"""

from __future__ import annotations

from dataclasses import dataclass

from training.objectives.places import Span


@dataclass(frozen=True, order=True, slots=True)
class Task:
    """One middle; :attr:`needs` encloses it and must lie in the window whole."""

    needs: Span
    middle: Span
