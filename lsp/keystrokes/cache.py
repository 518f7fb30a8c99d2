"""Suggestions kept in memory: found again where they were asked for, and on the way through them.

Knows no time. A suggestion may still be growing: its first lines are served while the next come.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

from lsp.keystrokes.place import Place, rest_of, typed_between

MOST_ENTRIES = 250
"""As many as Cody keeps: some minutes of typing."""
MOST_BYTES = 4 << 20
_OVERHEAD = 512
"""Bytes of an entry that are not its text, about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """All that an answer depends on; whatever differs in one of these is another question."""

    place: Place
    context: Hashable = 0
    """Version of what is sent of other files."""
    form: Hashable = ()
    """Options, language, and whatever else is sent along."""
    invoked: bool = False
    """The user asked: everything is wanted, and short texts are not left out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """One candidate: ``text`` is what replaces ``replace_after`` bytes behind the place.

    Where a popup's item is selected, it begins with that item and is put in its place.
    """

    text: bytes
    replace_after: int = 0
    number: int = 0
    """Of the candidate in its answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """What is shown at a place; nothing is shown without pieces."""

    pieces: tuple[Piece, ...] = ()
    typed: tuple[int, ...] = ()
    """For each piece, how many bytes of the candidate stand before the cursor already."""
    replace_before: int = 0
    """Bytes before the cursor that every piece takes the place of: of a selected item only."""
    whole: bool = True
    """There is no more to come behind it."""
    completion_id: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to see."""
        return not any(piece.text.strip() for piece in self.pieces)


@dataclass(kw_only=True, slots=True)
class Entry:
    """An answer of the model, whole or in part."""

    question: Question
    pieces: tuple[Piece, ...] = ()
    whole: bool = False
    completion_id: str = ""
    key: int = 0
    start: Place = field(init=False)
    """Where its pieces begin: before what they replace."""

    def __post_init__(self) -> None:
        self.start = replace(self.question.place.without_selected(), selected=None)

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return (
            _OVERHEAD
            + self.question.place.size
            + len(self.start.before)
            + sum(len(piece.text) for piece in self.pieces)
        )

    def typed_at(self, place: Place) -> bytes | None:
        """Return what was typed to ``place`` from where its pieces begin.

        ``None``: they cannot go on there, whatever they are; or those there are do not.
        """
        selected = self.question.place.selected
        if place.selected is not None:
            mine = (selected.text, selected.after) if selected is not None else None
            if (place.selected.text, place.selected.after) != mine:
                return None
            place = place.without_selected()
        typed = typed_between(self.start, replace(place, selected=None))
        if typed is None or not (self.pieces or self.whole):
            return typed
        if any(_may_go_on(piece.text, typed, whole=self.whole) for piece in self.pieces):
            return typed
        return None

    def at(self, place: Place) -> Suggestion | None:
        """Return what is left of it at ``place``; ``None``: it is about another text.

        What is left may be nothing, or blank.
        """
        selected, mine = place.selected, self.question.place.selected
        if (selected is None) != (mine is None):
            return None
        before = 0
        if selected is not None and mine is not None:
            if (selected.text, selected.after) != (mine.text, mine.after):
                return None
            before = selected.before
            column = place.column
            place = replace(place.without_selected(), selected=None)
            if place.column != column - before:
                return None
        pieces: list[Piece] = []
        typed: list[int] = []
        for piece in self.pieces:
            rest = rest_of(self.start, piece.text, piece.replace_after, place)
            if rest is not None and (selected is None or rest.typed == 0):
                text = rest.text if self.whole else rest.text.rstrip()  # its last line end as well
                pieces.append(replace(piece, text=text, replace_after=rest.replace_after))
                typed.append(rest.typed + before)
        if not pieces and (self.pieces or not _is_same(self.start, place)):
            return None
        return Suggestion(
            pieces=tuple(pieces), typed=tuple(typed), replace_before=before, whole=self.whole,
            completion_id=self.completion_id,
        )  # fmt: skip


class Cache:
    """The answers of all documents, the least recently used forgotten first."""

    def __init__(self, *, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self._most_entries, self._most_bytes = most_entries, most_bytes
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._of: defaultdict[str, set[int]] = defaultdict(set)
        self._shown: dict[str, int] = {}
        self._keys = itertools.count(1)
        self.size = 0
        """Bytes, about."""

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry) -> None:
        """Keep ``entry``."""
        entry.key = next(self._keys)
        self._entries[entry.key] = entry
        self._of[entry.question.place.document].add(entry.key)
        self.size += entry.size
        self._shrink()

    def grow(
        self, entry: Entry, pieces: Sequence[Piece], *, whole: bool, completion_id: str
    ) -> None:
        """Give ``entry`` more text, whether it is still kept or not."""
        kept = entry.key in self._entries
        before = entry.size
        entry.pieces, entry.whole, entry.completion_id = tuple(pieces), whole, completion_id
        if kept:
            self.size += entry.size - before
            self._shrink()

    def drop(self, entry: Entry) -> None:
        """Forget ``entry``, if it is kept."""
        if self._entries.pop(entry.key, None) is not None:
            document = entry.question.place.document
            self.size -= entry.size
            self._of[document].discard(entry.key)
            if not self._of[document]:
                del self._of[document]
            if self._shown.get(document) == entry.key:
                del self._shown[document]

    def find(self, question: Question) -> tuple[Entry, Suggestion] | None:
        """Return the answer to ``question``, if there is one, with what is left of it.

        What is shown comes first, and stays when the context changes, unless the user asks:
        nothing else would be steady. Then the newest. That nothing was found here is an answer,
        too; one of which nothing is left is none.
        """
        document = question.place.document
        shown = self._entries.get(self._shown.get(document, 0))
        stays = not question.invoked  # who asks wants what is right now
        if shown is not None and (found := _served(shown, question, stays=stays)) is not None:
            return shown, found
        for key in sorted(self._of.get(document, ()), reverse=True):
            entry = self._entries[key]
            if (found := _served(entry, question, stays=False)) is not None:
                return entry, found
        return None

    def show(self, entry: Entry) -> None:
        """Take notice that ``entry`` is what its document's user now sees."""
        if entry.key in self._entries:
            self._shown[entry.question.place.document] = entry.key
            self._entries.move_to_end(entry.key)

    def shown(self, place: Place) -> Suggestion | None:
        """Return what is left at ``place`` of what its document's user sees."""
        entry = self._entries.get(self._shown.get(place.document, 0))
        return None if entry is None else entry.at(place)

    def hide(self, document: str) -> None:
        """Take notice that nothing that is kept is to be seen in ``document``."""
        self._shown.pop(document, None)

    def forget(self, document: str) -> None:
        """Forget all of ``document``."""
        for key in list(self._of.get(document, ())):
            self.drop(self._entries[key])

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._of.clear()
        self._shown.clear()
        self.size = 0

    def _shrink(self) -> None:
        while len(self._entries) > self._most_entries or (
            self.size > self._most_bytes and len(self._entries) > 1
        ):
            self.drop(next(iter(self._entries.values())))


def _may_go_on(text: bytes, typed: bytes, *, whole: bool) -> bool:
    return text.startswith(typed) or (not whole and typed.startswith(text))


def _is_same(start: Place, place: Place) -> bool:
    rest = rest_of(start, b"", 0, place)
    return rest is not None and rest.replace_after == 0


def _served(entry: Entry, question: Question, *, stays: bool) -> Suggestion | None:
    if entry.question.form != question.form:
        return None
    if not stays and entry.question.context != question.context:
        return None
    found = entry.at(question.place)
    if found is None or (question.invoked and not entry.whole):
        return None
    if found.is_blank and (entry.pieces or not entry.whole or question.invoked):
        return None  # who asks wants it tried, whatever came of it before
    return found
