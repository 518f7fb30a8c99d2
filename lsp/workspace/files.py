"""The files of one workspace folder on disk: which are chosen, and what has become of them.

From the event loop only; what is found out goes to :class:`lsp.workspace.pending.Pending` as names.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from lsp.context.ignore import IGNORE_FILES, Rules
from lsp.context.index import walk
from lsp.context.index.walk import Seen
from lsp.workspace import choice
from lsp.workspace.chosen import Chosen
from lsp.workspace.ledger import Ledger
from lsp.workspace.passes import Passes
from lsp.workspace.pending import Pending

MANY = 200
"""Changed paths of one notification from which on the folder is gone through instead."""
FEW = 20
"""Paths that are gone, from which on nobody asks whether they were folders."""
CHUNK = 256
"""Files that are compared with what was sent, before an editor's message may come in between."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pools:
    """Threads: one reads what is sent, one goes through folders. Shared by all folders."""

    reading: Executor
    walking: Executor


class Files:
    """One folder's files. Whoever has it runs :attr:`passes`."""

    def __init__(
        self,
        root: str,
        rules: Callable[[], Rules],
        pools: Pools,
        chosen: Chosen,
        ledger: Ledger,
        pending: Pending,
        *,
        opened: Collection[str],
        limit: Callable[[], int],
        news: asyncio.Event,
    ) -> None:
        """Take the folder, what is known of it, and where to say what is to be sent.

        Args:
            root: the folder.
            rules: returns its rules.
            pools: where files are looked at.
            chosen: the files that are kept at the server.
            ledger: what was sent.
            pending: what is to be sent.
            opened: paths of open documents, which count before their files; it may change.
            limit: returns most bytes of one file.
            news: set when there is something to be sent.
        """
        self._root, self._rules, self._pools = root, rules, pools
        self._chosen, self._ledger, self._pending = chosen, ledger, pending
        self._opened, self._limit, self._news = opened, limit, news
        self._looked: set[str] | None = None
        """Files that were looked at since the pass under way began; None: there is none."""
        self._near: set[str] = set()
        """Folders with open documents when the last pass began."""
        self.passes = Passes(
            rules, pools.walking, begin=self._begin_pass, refused=self._refused, go=self._choose
        )

    async def changed(self, paths: list[str]) -> None:
        """Take notice of files that were made, written or removed: paths relative to the folder."""
        if len(paths) > MANY:
            self.passes.want()
        elif paths:
            await self.look_at(paths)

    def opened_in(self, path: str) -> None:
        """Take notice that a document was opened: what is near to it may be wanted more now."""
        if self._chosen.is_cut and _folder(path) not in self._near:
            self.passes.want()

    def make_room(self, path: str) -> bool:
        """Take away what is wanted less than ``path``, which the server has let go of for it.

        What has not been sent is not sent, for the most wanted was sent first. Returned: whether there may
        be room for it now. Where nothing less wanted is left, that went for others meanwhile; a file
        then takes the place of a more wanted one at the worst, which takes it back.
        """
        for waiting in self._pending.take_files():
            if waiting in self._opened:
                continue
            self._chosen.has_no_room(waiting)
            if self._ledger.sent(waiting) is not None:
                self._pending.remove(waiting)
        wanted, made = self._chosen.size(path), 0
        for other in reversed(list(self._chosen)):
            if other == path:
                break
            sent = self._ledger.sent(other)
            if other in self._opened or sent is None or not sent.version or sent.refused:
                continue
            self._chosen.has_no_room(other)
            self._pending.remove(other)
            made += self._chosen.size(other)
            if made >= wanted:
                break
        self._news.set()
        seen = self._chosen.seen(path)
        fits = (
            seen is not None and path not in self._opened and not self._chosen.is_unfit(path, seen)
        )
        return made > 0 or fits

    def _begin_pass(self) -> None:
        self._looked = set()
        self._near = {_folder(path) for path in self._opened}

    async def _refused(self) -> None:
        """Take away at once what the rules do not let through any more."""
        paths = [path for path in self._ledger.paths() if path not in self._opened]
        work = functools.partial(choice.refused, self._rules(), paths, self._limit())
        for path in await asyncio.get_running_loop().run_in_executor(self._pools.reading, work):
            if path not in self._opened:
                self._chosen.drop(path)
                self._pending.remove(path)
        self._news.set()

    async def _choose(self, is_over: Callable[[], bool]) -> bool:
        """Go through the folder once; return whether that came to its end."""
        work = functools.partial(
            choice.choose, self._rules(),
            near=self._near, limit=self._limit(), max_bytes=self._chosen.max_bytes, is_over=is_over,
        )  # fmt: skip
        try:
            chosen = await asyncio.get_running_loop().run_in_executor(self._pools.walking, work)
        except walk.Unreachable:
            if Path(self._root).exists():
                return True  # what is known of it stays
            chosen = choice.Choice({}, is_cut=False)
        if chosen is None:
            return False
        self._chosen.replace(chosen.files, is_cut=chosen.is_cut)
        await self.compare_all()
        looked, self._looked = self._looked, None
        await self.look_at(list(looked or ()))
        return True

    async def compare_all(self) -> None:
        """Let all be sent that is not at the server as it is here, and taken away what is not here."""
        now = asyncio.get_running_loop().time()
        for path in self._opened:
            self._pending.document(path, now)
        for number, (path, seen) in enumerate(self._chosen.files()):
            if number % CHUNK == CHUNK - 1:
                self._news.set()
                await asyncio.sleep(0)
            sent = self._ledger.sent(path)
            is_known = sent is not None and sent.version and sent.stamp == seen.stamp
            if not is_known and path not in self._opened and not self._chosen.is_unfit(path, seen):
                self._pending.file(path)
        for path in self._ledger.paths():
            if path not in self._chosen and path not in self._opened:
                self._pending.remove(path)
        self._news.set()

    async def look_at(self, paths: list[str]) -> None:
        """Look at single files, whatever has become of them."""
        if self._looked is not None:
            self._looked.update(paths)
        rules, limit = self._rules(), self._limit()

        def work() -> list[tuple[Seen | None, bool]]:
            return [
                (choice.look(rules, path, limit), choice.is_folder(rules, path)) for path in paths
            ]

        found = await asyncio.get_running_loop().run_in_executor(self._pools.reading, work)
        gone: list[str] = []
        for path, (seen, is_folder) in zip(paths, found, strict=True):
            self._chosen.looked_at(path, seen)
            if path in self._opened:
                continue
            if path in self._chosen:
                self._pending.file(path)
            elif self._ledger.sent(path) is not None:
                self._pending.remove(path)
            elif is_folder:
                self.passes.want()
            elif seen is None:
                gone.append(f"{path}/")
        if len(gone) > FEW or any(path.startswith(tuple(gone)) for path in self._chosen):
            self.passes.want()
        self._news.set()


def has_rules(paths: Iterable[str]) -> bool:
    """Whether a change of these files may let others in or out."""
    return any(path.rpartition("/")[2] in IGNORE_FILES for path in paths)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
