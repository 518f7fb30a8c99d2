"""When a workspace folder is gone through: at first, when git or the rules say so, and now and then.

An editor need not watch files, and does not tell of all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path

from lsp.context.ignore import GIT_FILES, OWN_FILE, Rules
from lsp.context.reading import Stamp

log = logging.getLogger("caret.lsp")

LOOK_S = 2.0
"""How often the files are looked at that change when many others do, in seconds."""
RECHECK_S = 300.0
"""How long after one pass the next begins at the latest, in seconds; longer where passes are long."""
RECHECK_SHARE = 50
SOON_S = 1.0
LATE_S = 5.0
"""The least time between two passes, in seconds; twice as long as a pass, up to the later."""
LEAST_S = 0.1

_RULES = (*GIT_FILES, OWN_FILE)
_MANY = (".git/HEAD", ".git/index")
"""What git writes when it is done with many files."""

Stamps = tuple[Stamp | None, ...]


class Passes:
    """One folder's passes, from the event loop only."""

    def __init__(
        self,
        rules: Callable[[], Rules],
        pool: Executor,
        *,
        begin: Callable[[], None],
        refused: Callable[[], Awaitable[None]],
        go: Callable[[Callable[[], bool]], Awaitable[bool]],
    ) -> None:
        """Take what does the work.

        Args:
            rules: returns the folder's rules.
            pool: where files are looked at.
            begin: called before a pass.
            refused: takes away what the rules do not allow any more; called when they have changed.
            go: goes through the folder until what it is given returns true.
        """
        self._rules, self._pool = rules, pool
        self._begin, self._refused, self._go = begin, refused, go
        self._wanted = asyncio.Event()
        self._ruled = False
        self._stopped = threading.Event()
        self._closed = False
        self.done = 0
        """Passes that came to their end."""

    def want(self, *, ruled: bool = False) -> None:
        """Let the folder be gone through soon; ``ruled``: because the rules have changed."""
        if ruled:
            self._ruled = True
            self._stopped.set()  # the pass under way goes by the old ones
        self._wanted.set()

    def close(self) -> None:
        """End the pass under way."""
        self._closed = True
        self._stopped.set()

    async def run(self) -> None:
        """Go through the folder whenever it is time, for ever."""
        loop = asyncio.get_running_loop()
        while not self._closed:
            self._stopped = threading.Event()
            self._wanted.clear()
            began = loop.time()
            before = await self._look()
            try:
                if self._ruled:
                    self._ruled = False
                    self._rules().forget()
                    await self._refused()
                self._begin()
                is_done = await self._go(self._stopped.is_set)
            except Exception as error:  # whatever it is, the next pass tries anew
                log.warning("workspace: a pass came to no end (%s)", type(error).__name__)
                is_done = True
            if is_done:
                self.done += 1
                await self._wait(loop.time() - began, before)

    async def _wait(self, took: float, before: tuple[Stamps, Stamps]) -> None:
        """Return when the next pass is due."""
        loop = asyncio.get_running_loop()
        soon = loop.time() + min(max(SOON_S, 2 * took), LATE_S)
        due = loop.time() + max(RECHECK_S, RECHECK_SHARE * min(took, 60.0))
        while not self._ruled and (now := loop.time()) < due:
            if not self._wanted.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(LOOK_S, due - now)):
                        await self._wanted.wait()
                        continue
                rules, many = await self._look()
                if rules != before[0]:
                    self._ruled = True
                elif many != before[1]:
                    self._wanted.set()
            elif now < soon:
                await asyncio.sleep(min(soon - now, LEAST_S))
            else:
                return

    async def _look(self) -> tuple[Stamps, Stamps]:
        """Return the stamps of the folder's own rules, and of git's."""
        root = self._rules().root

        def work() -> tuple[Stamps, Stamps]:
            return _stamps(root, _RULES), _stamps(root, _MANY)

        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _stamps(root: Path, names: Iterable[str]) -> Stamps:
    found: list[Stamp | None] = []
    for name in names:
        try:
            found.append(Stamp.of((root / name).lstat()))
        except OSError:
            found.append(None)
    return tuple(found)
