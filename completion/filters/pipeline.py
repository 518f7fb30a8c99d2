"""All filters in their order, for a candidate as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from completion.filters import (
    blank,
    characters,
    closers,
    duplicate_line,
    eol,
    repetition,
    special_tokens,
    suffix_overlap,
    torn_character,
    trailing_blanks,
)
from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft

Filter = Callable[[Draft, Cursor], Draft | Declined]

FILTERS: tuple[Filter, ...] = (
    special_tokens.apply,
    characters.apply,
    repetition.apply,
    suffix_overlap.apply,
    closers.apply,
    suffix_overlap.apply_behind_closers,
    torn_character.apply,
    trailing_blanks.apply,
    duplicate_line.apply,
    blank.apply,
    eol.apply,
)
"""In the order they act. They see ``\\n`` as the only line end; the last one restores others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What is left of a candidate."""

    text: bytes = b""
    replace_after: int = 0
    """Bytes of the suffix, closing brackets and quotes only."""
    declined: str = ""
    """Why there is no candidate: ``filtered:`` and a filter's name; empty: there is one."""


def run(text: bytes, cursor: Cursor) -> Result:
    """Return what the filters make of ``text``, the middle as the stop rule left it."""
    draft = Draft(text=eol.unify(text))
    for apply in FILTERS:
        out = apply(draft, cursor)
        if isinstance(out, Declined):
            return Result(declined=out.reason)
        draft = out
    return Result(text=draft.text, replace_after=draft.replace_after)
