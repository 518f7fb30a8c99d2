"""All filters in their order, for a candidate as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from completion.filters import (
    balance,
    blank,
    characters,
    closers,
    duplicate_line,
    eol,
    extra_space,
    indent,
    repetition,
    special_tokens,
    suffix_overlap,
    too_short,
    torn_character,
    trailing_blanks,
)
from completion.filters.cursor import Cursor
from completion.filters.draft import Declined, Draft
from completion.filters.reasons import of_filter, of_stop
from completion.filters.stop_rule import Stop, StopReason

Filter = Callable[[Draft, Cursor], Draft | Declined]

FILTERS: tuple[Filter, ...] = (
    special_tokens.apply,
    characters.apply,
    repetition.apply,
    suffix_overlap.apply,
    balance.apply,
    closers.apply,
    suffix_overlap.apply_behind_closers,
    special_tokens.apply_halves,
    torn_character.apply,
    extra_space.apply,
    trailing_blanks.apply,
    duplicate_line.apply,
    blank.apply,
    too_short.apply,
    indent.apply,
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
    """Why there is no candidate, of :mod:`completion.filters.reasons`; empty: there is one."""


def run(
    text: bytes, cursor: Cursor, *, line_ended: bool = False, met_suffix: bool = False
) -> Result:
    """Return what the filters make of ``text``, the middle as the stop rule left it.

    ``line_ended``: the model went on in a new line behind it; ``met_suffix``: with the text behind
    the cursor. A filter that leaves only blanks is the reason that there is no candidate.
    """
    text = eol.unify(text)
    generated = text + b"\n" if line_ended else text
    draft = Draft(text=text, generated=generated, met_suffix=met_suffix)
    for apply in FILTERS:
        out = apply(draft, cursor)
        if isinstance(out, Declined):
            return Result(declined=out.reason)
        if draft.text.strip() and not out.text.strip():
            return Result(declined=of_filter(apply.__module__))
        draft = out
    return Result(text=draft.text, replace_after=draft.replace_after)


def run_stopped(generated: bytes, middle: bytes, stop: Stop, cursor: Cursor) -> Result:
    """Return what is left of ``generated``, of which the stop rule left ``middle``.

    Where it left nothing, that is the reason, and not the filters' that nothing is blank.
    """
    met = stop.reason is StopReason.SUFFIX
    result = run(middle, cursor, line_ended=stop.line_ended, met_suffix=met)
    if result.declined and not middle.strip() and generated.strip():
        return replace(result, declined=of_stop(stop.reason))
    return result


def early(text: bytes, cursor: Cursor) -> bytes | None:
    """Return how the whole lines ``text`` begin every answer that they begin, or ``None``.

    For a cursor that nothing follows on its line. ``None`` while it depends on what comes whether
    there is an answer, or whether its last line stays as it is.
    """
    text = text[extra_space.leading(text, cursor) :]
    if (
        not text.strip()
        or special_tokens.half(text, cursor)
        or duplicate_line.may_be_duplicate(text, cursor)
        or too_short.is_too_short(text, cursor)
    ):
        return None
    text = indent.converted(text, cursor)
    return text if cursor.eol == b"\n" else text.replace(b"\n", cursor.eol)
