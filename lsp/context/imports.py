"""What the modules define that a file imports, as far as they are files of the workspace.

The lines of the imports are read by a pattern for each family of languages, and resolved by trying
the few paths that they can mean: no interpreter, no build system, and nothing outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from completion.syntax.definitions import Definition
from lsp.context.found import IMPORT, Clock, Files, Found, Spot, Text
from lsp.context.import_lines import EVERYTHING, Imported, imported
from lsp.context.shapes import Shapes
from lsp.context.uses import uses_near

MAX_FILES = 40
"""Modules that are opened for one file."""
WHOLE = 6
"""Definitions of a module that is imported as a whole, where none of its names is used yet."""
HOPS = 2
"""How often a name is looked for in what its module imports in turn: packages re-export."""


class Imports:
    """Definitions of what is imported, that used nearest to the cursor first."""

    name = "imports"

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    def find(self, spot: Spot, files: Files, clock: Clock) -> list[Found]:
        """Return the definitions. Imported names that are not used near come after those that are."""
        near = {use.name: n for n, use in enumerate(uses_near(spot))}
        ranked: list[tuple[float, int, Found]] = []
        opened = 0
        for number, one in enumerate(imported(spot, files)):
            if clock.over or opened == MAX_FILES:
                break
            text = _first(one.paths, files, spot.path)
            if text is None:
                continue
            opened += 1
            for rank, definition, home in self._wanted(one, text, near, spot, files, clock):
                found = Found(
                    text=home, kind=IMPORT, pieces=definition.pieces, why="imported",
                    name=_text(definition.name),
                )  # fmt: skip
                ranked.append((rank, number, found))
        ranked.sort(key=lambda one: one[:2])
        return [found for _, _, found in ranked]

    def _wanted(
        self,
        one: Imported,
        text: Text,
        near: dict[bytes, int],
        spot: Spot,
        files: Files,
        clock: Clock,
    ) -> Iterator[tuple[float, Definition, Text]]:
        """Yield (rank, definition, its file) of what ``one`` brings in."""
        last = float(len(near))
        for local, name in one.names:
            found = self._find(name, text, files, clock, HOPS)
            if found is not None:
                yield near.get(local, near.get(name, last)), *found
        if one.names and not one.brings_all:
            return
        every = self._shapes.of(text)
        shapes = outermost(every)
        used = [d for d in every if d.name in near]
        for definition in used:
            yield near[definition.name], definition, text
        if not used:
            public = [d for d in shapes if not d.name.startswith(b"_")]
            for count, definition in enumerate(public[:WHOLE]):
                yield last + 1 + count, definition, text

    def _find(
        self, name: bytes, text: Text, files: Files, clock: Clock, hops: int
    ) -> tuple[Definition, Text] | None:
        """Return where ``text`` defines ``name``, or what it imports it from."""
        for definition in self._shapes.of(text):
            if definition.name == name:
                return definition, text
        if not hops or clock.over:
            return None
        here = Spot(path=text.path, language=text.language, text=text.data, offset=0)
        for one in imported(here, files):
            for local, original in one.names:
                if local in (name, EVERYTHING):
                    behind = _first(one.paths, files, text.path)
                    wanted = original if local == name else name
                    if behind is not None:
                        found = self._find(wanted, behind, files, clock, hops - 1)
                        if found is not None:
                            return found
        return None


def _first(paths: Sequence[str], files: Files, own: str) -> Text | None:
    for path in paths:
        if path != own and (text := files.read(path)) is not None:
            return text
    return None


def outermost(definitions: Sequence[Definition]) -> list[Definition]:
    """Return those that no other one is around."""
    out: list[Definition] = []
    end = -1
    for definition in sorted(definitions, key=lambda d: (d.start, -d.end, d.at)):
        if definition.start >= end or (out and definition.start == out[-1].start):
            out.append(definition)
        end = max(end, definition.end)
    return out


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
