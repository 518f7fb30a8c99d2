"""What a client does with a file that a server without room for all has let go of."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lsp.context.index.walk import Seen
from lsp.context.reading import UNKNOWN, Stamp
from lsp.workspace.chosen import Chosen
from lsp.workspace.files import Files, Pools
from lsp.workspace.ledger import Ledger, compared
from lsp.workspace.pending import Pending

NAMES = ["best.py", "good.py", "worse.py", "worst.py"]


class Desk:
    """Four files, the most wanted first, all of them sent."""

    def __init__(self, root: Path, opened: set[str]) -> None:
        pool = ThreadPoolExecutor(1)
        self.chosen, self.ledger, self.pending = Chosen(1 << 20), Ledger("w" * 32), Pending()
        self.files = Files(
            str(root), lambda: pytest.fail("no rules are needed"), Pools(reading=pool, walking=pool),
            self.chosen, self.ledger, self.pending,
            opened=opened, limit=lambda: 1 << 20, news=asyncio.Event(),
        )  # fmt: skip
        stamp = Stamp(mtime_ns=1, size=100, inode=1)
        self.chosen.replace({name: Seen(name, stamp) for name in NAMES}, is_cut=False)
        for name in NAMES:
            self._send(name)

    def _send(self, name: str) -> None:
        self.ledger.change(name, compared(name.encode(), None, UNKNOWN, keep=False))

    def let_go(self, name: str) -> bool:
        """Tell of what the server has no more; return whether it was sent again."""
        self.ledger.refused(name, self.ledger.version)
        again = self.files.make_room(name)
        if again:
            self.ledger.send_again(name)
            self._send(name)
        return again

    def taken_away(self) -> list[str]:
        found = []
        while (taken := self.pending.take(0.0)) is not None:
            path, is_removal = taken
            if is_removal:
                found.append(path)
                self.ledger.removal(path)
        return found


async def test_what_is_wanted_least_makes_room(tmp_path):
    desk = Desk(tmp_path, set())
    assert desk.let_go("best.py")
    assert desk.taken_away() == ["worst.py"]
    assert not desk.let_go("worst.py"), "it was taken away for another"


async def test_a_file_is_sent_again_where_what_is_wanted_less_has_gone_for_others(tmp_path):
    desk = Desk(tmp_path, set())
    for _ in range(2):
        assert desk.let_go("best.py")
        desk.taken_away()
    assert desk.let_go("good.py"), "nothing less wanted is there, and its room may be"
    assert desk.let_go("best.py")
    assert desk.taken_away() == ["good.py"], "at the worst it had the place of a better one"
    assert not desk.let_go("good.py"), "and then it does not come again"


async def test_documents_that_have_no_room_together_do_not_go_round_for_ever(tmp_path):
    desk = Desk(tmp_path, set(NAMES))
    assert not any(desk.let_go(name) for name in NAMES)
