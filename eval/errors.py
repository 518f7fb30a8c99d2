"""Errors of the harness beyond the program's own."""

from __future__ import annotations

from completion.errors import CaretError


class EngineGone(CaretError):
    """Who was being measured went away half-way; what was answered is kept."""
