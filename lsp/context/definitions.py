"""The definitions of the names used near the cursor, from all over the workspace.

Two ways of knowing what a name means. The index knows by its name alone, in every language and at
once; of several definitions of one name it is guessed by nearness which is meant. For Python jedi
knows for sure, attributes of objects too, but takes its time: what it says goes first, and when it
has said nothing in time the guess stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from completion.syntax.definitions import Definition
from completion.syntax.languages import Language, language_for
from completion.syntax.names import names_in_scope
from lsp.context.found import DEFINITION, Clock, Files, Found, Spot, Text, line_start
from lsp.context.import_lines import imported
from lsp.context.shapes import Shapes
from lsp.context.uses import EVERYWHERE, Use, uses_near

MAX_USES = 24
"""Names that are looked up, the nearest."""
LOOKED_UP = 12
"""Definitions of a name that the index is asked for."""
PER_NAME = 2
RARE = 3
"""A name defined in more places than this means one of them only where that one is near."""
SURE, GUESSED = "defines", "may define"
AROUND = 32 << 10
"""Bytes before the cursor and behind it that are searched for what is a name of the place alone."""
SHARE = 0.8
"""Of the time left, for static analysis."""

_NAMED_IMPORTS = frozenset({"python", "javascript", "typescript", "tsx", "rust"})
"""Languages in which a file sees no name of another file that it has not imported."""
_FAMILIES = (
    frozenset({"javascript", "typescript", "tsx"}), frozenset({"c", "cpp"}),
    frozenset({"java", "kotlin", "scala"}),
)  # fmt: skip
"""Languages whose files use each other's definitions."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a name is defined."""

    path: str
    """Relative to the workspace folder."""
    at: int = 0
    """Where the name stands, in bytes, as far as known: the file may have changed since."""
    line: int = 0
    """Or its line, from 1 on, where that is what is known."""
    name: bytes = b""
    """What is defined there, where that is another name than was asked for: a variable's class."""
    member: bool = False
    """Whether it belongs to a class or the like."""


Lookup = Callable[[bytes, int, str], Sequence[Target]]
"""Returns definitions of a name in the workspace folder, at most so many, those near a path first."""


class Pending(Protocol):
    """Static analysis under way."""

    complete: bool
    """Whether all was known that will be."""

    def result(self, seconds: float) -> dict[bytes, list[Target]]:
        """Return by name what is known, after at most so long; an empty list: it is defined
        outside of the workspace."""
        ...


class Analysis(Protocol):
    """Something that knows what names mean."""

    def begin(self, spot: Spot, uses: Sequence[Use]) -> Pending:
        """Begin to find out. Does not wait, does not raise."""
        ...


class Definitions:
    """Definitions of the names used near, the nearest use first."""

    name = "definitions"

    def __init__(
        self, shapes: Shapes, lookup: Lookup | None = None, analysis: Analysis | None = None
    ) -> None:
        self._shapes, self._lookup, self._analysis = shapes, lookup, analysis
        self.lacking = ""
        """What was not told in time."""

    def find(self, spot: Spot, files: Files, clock: Clock) -> list[Found]:
        """Return one definition for each name, then the second ones of names that have several."""
        uses = uses_near(spot)[:MAX_USES]
        pending = None
        if self._analysis is not None and spot.language and spot.language.name == "python":
            pending = self._analysis.begin(spot, uses)
        near = _Nearness(spot, files)
        local = _local(spot)
        guessed = {use.name: self._guess(use, spot, files, near, local, clock) for use in uses}
        known = pending.result(SHARE * clock.left) if pending is not None else {}
        if pending is not None and not pending.complete:
            self.lacking = "static analysis: late"
        rounds: list[list[Found]] = [[] for _ in range(PER_NAME)]
        for use in uses:
            # what is known for sure, also that it is nothing of the workspace, is no more guessed
            targets = known.get(use.name)
            exact = self._at(targets or (), use.name, files, SURE)
            found = exact if targets == [] else exact or guessed[use.name]
            for number, one in enumerate(found[:PER_NAME]):
                rounds[number].append(one)
        return [one for found in rounds for one in found]

    def _guess(
        self,
        use: Use,
        spot: Spot,
        files: Files,
        near: _Nearness,
        local: set[bytes],
        clock: Clock,
    ) -> list[Found]:
        """Return the definitions of ``use`` by its name, the likeliest first."""
        targets = list(self._own(use, spot, files))
        given_here = not use.owner and use.name in local
        if not targets and not given_here and self._lookup is not None and not clock.over:
            targets += self._likely(use, spot, near)
        as_member = bool(use.owner)
        targets.sort(key=lambda t: (near.of(t.path), t.member is not as_member, t.path, t.at))
        if clock.over:
            return []
        return self._at(targets[:PER_NAME], use.name, files, GUESSED)

    def _likely(self, use: Use, spot: Spot, near: _Nearness) -> list[Target]:
        """Return what the index knows of a name, where it may well be what is meant."""
        assert self._lookup is not None
        found = [
            target
            for target in self._lookup(use.name, LOOKED_UP, spot.path)
            if target.path != spot.path and _same_family(spot.language, target.path)
        ]
        if use.owner:
            found = [target for target in found if target.member] or found
            reach = near.FOLDER if len(found) > RARE else near.ANYWHERE
            if use.name in EVERYWHERE:
                reach = near.IMPORTED
        elif spot.language is not None and spot.language.name in _NAMED_IMPORTS:
            reach = near.IMPORTED  # a name that stands alone comes from nowhere else
        else:
            reach = near.FOLDER if len(found) > RARE else near.ANYWHERE
        return [target for target in found if near.of(target.path) <= reach]

    def _own(self, use: Use, spot: Spot, files: Files) -> Iterator[Target]:
        text = files.read(spot.path)
        for definition in self._shapes.of(text) if text is not None else ():
            if definition.name == use.name and definition.at != use.at:
                yield Target(spot.path, definition.at)

    def _at(self, targets: Sequence[Target], name: bytes, files: Files, how: str) -> list[Found]:
        """Return what stands at ``targets`` now."""
        out: list[Found] = []
        for target in targets:
            text = files.read(target.path)
            if text is None:
                continue
            meant = target.name or name
            at = _offset(text.data, target.line) if target.line else target.at
            definition = self._nearest(text, meant, at)
            if definition is not None:
                shown = meant.decode("utf-8", "replace")
                out.append(
                    Found(text=text, kind=DEFINITION, pieces=definition.pieces, why=how, name=shown)
                )
        return out

    def _nearest(self, text: Text, name: bytes, at: int) -> Definition | None:
        same = [one for one in self._shapes.of(text) if one.name == name]
        return min(same, key=lambda one: abs(one.at - at), default=None)


class _Nearness:
    """How near a file is to the cursor's, in steps: its own, imported, its folder, further away."""

    OWN, IMPORTED, FOLDER = 0, 1, 2
    ANYWHERE = 1000

    def __init__(self, spot: Spot, files: Files) -> None:
        self._own = PurePosixPath(spot.path)
        self._imported = {path for one in imported(spot, files) for path in one.paths}

    def of(self, path: str) -> int:
        other = PurePosixPath(path)
        if other == self._own:
            return self.OWN
        if path in self._imported:
            return self.IMPORTED
        if other.parent == self._own.parent:
            return self.FOLDER
        common = 0
        for one, two in zip(self._own.parts[:-1], other.parts[:-1], strict=False):
            if one != two:
                break
            common += 1
        steps = len(self._own.parts) + len(other.parts) - 2 - 2 * common
        return self.FOLDER + steps


def _local(spot: Spot) -> set[bytes]:
    """Return the names that are given by parameters and variables around the cursor: what other
    files define under such a name is something else."""
    start = line_start(spot.text, max(0, spot.offset - AROUND))
    text = spot.text[start : spot.offset + AROUND]
    names = names_in_scope(spot.language, text, spot.offset - start)
    return {name.name for name in names if name.kind in ("parameter", "variable")}


def _offset(data: bytes, line: int) -> int:
    at = 0
    for _ in range(line - 1):
        at = data.find(b"\n", at) + 1
        if at == 0:
            return len(data)
    return at


def _same_family(language: Language | None, path: str) -> bool:
    """Whether code in ``language`` can use what ``path`` defines."""
    other = language_for("", path)
    if language is None or other is None:
        return False
    names = {language.name, other.name}
    return len(names) == 1 or any(names <= family for family in _FAMILIES)
