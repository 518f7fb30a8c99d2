"""A place where a suggestion stands, by the text around it; and what of a text is left further on.

Two places are the same if the text near them is, wherever a window of the document begins: so a
suggestion is found again in a document that has scrolled. Everything is bytes of UTF-8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

BEFORE = 8192
"""Bytes before the cursor that have to agree: more than the prompt of a small model holds."""
AFTER = 1024
"""Bytes behind it: what far below is edited changes no suggestion that is shown."""
CLOSERS = b")]}>\"'`"
"""What editors write by themselves behind the cursor, and what a suggestion takes the place of."""
MOST_CLOSERS = 4
_ANCHOR = 256
"""Bytes before a place by which it is looked for where lines were typed behind it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selected:
    """The item selected in the editor's popup: what it inserts, and what it replaces, in bytes."""

    text: bytes
    before: int = 0
    after: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A cursor in a document."""

    document: str
    before: bytes
    """At most :data:`BEFORE` bytes that end at the cursor."""
    after: bytes
    """At most :data:`AFTER` bytes that begin at it."""
    column: int
    """Bytes from the start of the line."""
    is_start: bool = True
    """The document begins with ``before``."""
    is_end: bool = True
    """The document ends with ``after``."""
    selected: Selected | None = None

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return (
            len(self.before) + len(self.after) + (len(self.selected.text) if self.selected else 0)
        )

    def ahead(self, text: bytes, replace_after: int) -> Place:
        """Return the place behind ``text``, inserted here for ``replace_after`` bytes after it."""
        before = self.before + text
        line = text.rfind(b"\n")
        return replace(
            self,
            before=before[-BEFORE:],
            is_start=self.is_start and len(before) <= BEFORE,
            after=self.after[replace_after:],
            column=len(text) - line - 1 if line >= 0 else self.column + len(text),
            selected=None,
        )

    def without_selected(self) -> Place:
        """Return the place where the popup's item would begin; the place itself without one."""
        size = self.selected.before if self.selected is not None else 0
        if not 0 < size <= min(len(self.before), self.column):
            return self
        return replace(self, before=self.before[:-size], column=self.column - size)


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a text: ``text`` to insert for ``replace_after`` bytes behind the cursor."""

    typed: int
    """Bytes of the whole text that stand before the cursor."""
    text: bytes
    replace_after: int = 0


def rest_of(start: Place, text: bytes, replace_after: int, place: Place) -> Rest | None:
    """Return what at ``place`` is left of ``text``, suggested at ``start``; ``None``: they disagree.

    The document behind it is what it would have been with ``text`` at ``start``, to the byte: also
    where the editor has put a closing bracket behind the one that was typed, or typed over one.
    The cost is that of what was typed, a step for each line of ``text``, and a comparison of the
    text near.
    """
    if start.document != place.document:
        return None
    line = 0
    while line >= 0:
        typed = line + place.column - (start.column if line == 0 else 0)
        if (
            0 <= typed <= len(text)
            and place.before.endswith(text[:typed])
            and _is_before(start, place, typed)
            and (closers := _replaced(start, place, text[typed:], replace_after)) is not None
        ):
            return Rest(typed, text[typed:], closers)
        line = text.find(b"\n", line) + 1 or -1
    return None


def typed_between(start: Place, place: Place) -> bytes | None:
    """Return what was typed from ``start`` to ``place``; ``None``: it is no place behind it."""
    if start.document != place.document:
        return None
    sizes = [place.column - start.column]
    if start.is_start and place.is_start:
        sizes = [len(place.before) - len(start.before)]
    at = place.before.rfind(start.before[-_ANCHOR:])
    sizes.append(len(place.before) - at - min(_ANCHOR, len(start.before)) if at >= 0 else -1)
    for size in sizes:
        if 0 <= size <= len(place.before) and _is_before(start, place, size):
            typed = place.before[len(place.before) - size :]
            over = sum(typed.count(closer) for closer in CLOSERS)
            if _replaced(start, place, None, over) is not None:
                return typed
    return None


def _is_before(start: Place, place: Place, typed: int) -> bool:
    """Whether what is before ``place``, less ``typed`` bytes, is what is before ``start``."""
    before = place.before[: len(place.before) - typed]
    if len(before) > len(start.before):
        return not start.is_start and before.endswith(start.before)
    if len(before) < len(start.before):
        return not place.is_start and start.before.endswith(before)
    return before == start.before


def _replaced(start: Place, place: Place, rest: bytes | None, replace_after: int) -> int | None:
    """Return how many bytes behind ``place`` ``rest`` takes the place of; ``None``: they disagree.

    Where ``rest`` is not known yet, closers that the editor has put there are no disagreement.
    """
    if _agree(start, 0, place, 0):
        return replace_after
    for over in range(1, min(replace_after, len(start.after)) + 1):
        if start.after[over - 1] not in CLOSERS:
            break
        if _agree(start, over, place, 0):
            return replace_after - over
    for more in range(1, min(MOST_CLOSERS, len(place.after)) + 1):
        if place.after[more - 1] not in CLOSERS:
            break
        if _agree(start, 0, place, more) and (rest is None or _holds(rest, place.after[:more])):
            return replace_after + more
    return None


def _agree(start: Place, over: int, place: Place, more: int) -> bool:
    """Whether what is behind ``start`` and behind ``place`` is the same, less so many bytes."""
    one, other = start.after[over:], place.after[more:]
    if len(one) > len(other):
        return not place.is_end and one.startswith(other)
    if len(one) < len(other):
        return not start.is_end and other.startswith(one)
    return one == other


def _holds(text: bytes, closers: bytes) -> bool:
    """Whether ``closers`` are in ``text`` in their order: else they would be lost."""
    at = 0
    for closer in closers:
        at = text.find(closer, at) + 1
        if at == 0:
            return False
    return True
