"""What of other files comes with the items of a run, whichever suite they are of.

Items are asked under the path that their file has in the workspace, so that the server leaves the
file itself out of what it mixes in. Its fit is of all files, this one as it lies there among them:
some numbers in a table, and no text. What a project says twice, in a copy, a test or a stub, is
there as it is for a user; so items whose passage another file has too are told apart
(:data:`ELSEWHERE`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from completion.errors import UsageError
from eval.build.tree import checksum
from eval.engines.base import Engine
from eval.item import Answer, Item
from eval.workspace.arms import Arm
from eval.workspace.files import Files, folder_of, has_copy, read_files
from eval.workspace.keeper import Keeper
from eval.workspace.place import Place, names, place_of

ELSEWHERE = "text elsewhere"
"""The slice by whether another file of the workspace has the passage around the reference."""
TELLING = 100
"""Characters from which on a file that has them too is a copy, and no coincidence."""


class OtherFiles:
    """What comes along, for one run: :meth:`taken` first, then :meth:`asked` for each item."""

    def __init__(self, arm: Arm, *, workspace: Path | None = None, files: int = 0) -> None:
        """Take the arm, the folder that items' paths begin in where the data does not say it, and
        how many files a workspace has: the nearest ones to the item's; 0: all."""
        self.arm = arm
        self._workspace, self._nearest = workspace, files
        self._read: dict[Path, Files] = {}
        self._numbers: dict[tuple[Path, str, str], int] = {}
        self._sets: list[Mapping[str, bytes]] = []
        """The files of each workspace, under the names that the server is told."""
        self._in: dict[str, int] = {}
        """By item: the number of its workspace."""
        self._elsewhere: dict[str, bool] = {}
        self._keeper: Keeper | None = None

    def taken(self, items: Sequence[Item], data: Path | None) -> list[Item]:
        """Return the items as they will be asked, and find out where their workspaces are.

        Raises:
            UsageError: nobody says where, or an item's file is not there.
        """
        found: list[Item] = []
        for item in items:
            place = place_of(item, self._workspace, data)
            if place is None and self.arm.workspace:
                raise UsageError(
                    f"item {item.id}: which folder its project is in is not known; --workspace DIR "
                    "names the folder that the items' paths begin in"
                )
            if place is not None:
                item = self._placed(item, place)
            found.append(item if self.arm.snippets else replace(item, related=()))
        return found

    def settings(self) -> dict[str, Any]:
        """Return what a result's options say of it: without a path of this machine."""
        table: dict[str, Any] = {"arm": str(self.arm)}
        if self.arm.workspace:
            whole = ((path, text) for one in self._sets for path, text in one.items())
            table |= {
                "files": self._nearest,
                "workspaces": len(self._sets),
                "sha256": checksum(dict(whole).items()),
            }
        return table

    def turn(self, item: Item) -> int:
        """Return when the item's turn is: those of one workspace are asked one after the other."""
        return self._in.get(item.id, 0)

    def facets(self, item: Item) -> dict[str, str]:
        """Return the slices that the item is in, by their names."""
        elsewhere = self._elsewhere.get(item.id)
        return {} if elsewhere is None else {ELSEWHERE: "yes" if elsewhere else "no"}

    @property
    def warnings(self) -> list[str]:
        """What a result has to say of passages that the workspace has twice."""
        copies = sum(self._elsewhere.values())
        if not copies:
            return []
        return [
            f"of {copies} of {len(self._elsewhere)} items another file of the workspace has the "
            f"{TELLING} characters around the cursor too: see the slice “{ELSEWHERE}”"
        ]

    @asynccontextmanager
    async def asked(self, item: Item, engine: Engine) -> AsyncGenerator[_Asked, None]:
        """Give the item as it goes to ``engine``, which then holds its workspace, fitted.

        Raises:
            CaretError: the server refused the workspace, or has not fitted it in time.
        """
        number = self._in.get(item.id)
        if not self.arm.workspace or number is None:
            yield _Asked(item, {})
            return
        if self._keeper is None:
            self._keeper = Keeper(engine.sync)
        async with self._keeper.holding(number, self._sets[number]) as held:
            of_it = {"files": held.state.files, "tokens": held.state.tokens}
            yield _Asked(replace(item, workspace=held.id), {"workspace": of_it})

    async def close(self) -> None:
        """Have the engine forget what it holds."""
        if self._keeper is not None:
            keeper, self._keeper = self._keeper, None
            await keeper.close()

    def _placed(self, item: Item, place: Place) -> Item:
        """Note the item's workspace; return it under the path that its file has there."""
        if self.arm.workspace:
            place = place.checked()
        before = next(
            (n.removesuffix(place.path) for n in names(item.path) if n.endswith(place.path)), ""
        )
        folder = folder_of(place.path) if self._nearest else ""
        files = self._files(place.root)
        key = (place.root, before, folder)
        number = self._numbers.get(key)
        if number is None:
            chosen = files.nearest(folder, self._nearest)
            self._sets.append({before + path: text for path, text in chosen.texts.items()})
            number = self._numbers[key] = len(self._sets) - 1
        item = replace(item, path=before + place.path)
        if item.reference:
            self._elsewhere[item.id] = has_copy(
                passage_of(item), self._sets[number].items(), item.path
            )
        self._in[item.id] = number
        return item

    def _files(self, root: Path) -> Files:
        files = self._read.get(root)
        if files is None:
            files = self._read[root] = read_files(root)
        return files


@dataclass(frozen=True)
class _Asked:
    """An item as it is asked."""

    item: Item
    data: Mapping[str, Any]
    """What its answers then say of the workspace."""

    def said(self, answers: Sequence[Answer]) -> list[Answer]:
        """Return the answers with that in the first one's data."""
        if not self.data or not answers:
            return list(answers)
        first = replace(answers[0], data={**answers[0].data, **self.data})
        return [first, *answers[1:]]


def passage_of(item: Item) -> bytes:
    """Return the reference and what is around it, :data:`TELLING` bytes where there are so many."""
    before = item.prefix.replace(b"\r\n", b"\n")
    middle = item.reference.replace(b"\r\n", b"\n")
    after = item.suffix.replace(b"\r\n", b"\n")
    lacking = max(0, TELLING - len(middle))
    front = min(len(before), max(lacking - lacking // 2, lacking - len(after)))
    back = min(len(after), lacking - front)
    return before[len(before) - front :] + middle + after[:back]
