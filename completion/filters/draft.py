"""What goes through the filters: a text with what it replaces, or the reason there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A candidate on its way through the filters; its line ends are ``\\n`` until the last one."""

    text: bytes
    replace_after: int = 0
    """Bytes of the suffix that the text takes the place of: closing brackets and quotes only."""


@dataclass(frozen=True, slots=True)
class Declined:
    """There is no candidate; ``reason`` is ``filtered:`` and the name of the filter."""

    reason: str
