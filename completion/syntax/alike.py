"""Whether two states of the lexer would read what follows in the same way.

Who keeps states of a text that is edited asks this: where a state comes out as it was before the
edit, all that was read behind it still holds.
"""

from __future__ import annotations

from typing import Any, cast

from completion.syntax.frames import Frame, Statement
from completion.syntax.lexer_state import LexerState
from completion.syntax.stack import Open

_NOT_COMPARED = frozenset(
    ("base", "lexed", "recovered", "_start", "_end", "_pieces", "_shown", "_reading", "_rules")
)
"""Offsets, and what each feed sets anew. A field that is not named here is compared as it is."""


def alike(one: LexerState, other: LexerState) -> bool:
    """Tell whether two states differ in nothing but offsets from the text's start."""
    return _shape(one) == _shape(other)


def _shape(state: LexerState) -> list[Any]:
    # Only tokens are looked back at, and from the end of what was read: that distance counts.
    found: list[Any] = [state.base - state._end]  # pyright: ignore[reportPrivateUsage]
    for kind in type(state).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if name not in _NOT_COMPARED:
                found.append(_without_offsets(getattr(state, name)))
    return found


def _without_offsets(value: Any) -> Any:
    if isinstance(value, Frame):
        return value._replace(start=0)
    if isinstance(value, Statement):
        return value.indent, value.word, value.header, value.opens
    if isinstance(value, Open):
        chain: list[Any] = []
        entry: Open | None = value
        while entry is not None:
            chain.append((entry.frame._replace(start=0), entry.saved[1:]))
            entry = entry.outer
        return chain
    if isinstance(value, tuple):
        parts = list(cast("tuple[Any, ...]", value))
        if len(parts) == 3 and type(parts[0]) is int:
            return parts[1:]  # a statement's start, indentation and first word
        return [_without_offsets(part) for part in parts]
    return value
