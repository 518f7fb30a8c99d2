"""One workspace folder in step with the server: its open documents as they are, its files as on disk.

From the event loop only; whatever reads or compares runs in threads. What to send is kept as names
alone, so that it is bounded by the files that are chosen, and a text is read when its turn comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass

from completion.wire import completion_pb2 as pb
from lsp.client import Service
from lsp.context.ignore import Rules
from lsp.context.index.pace import Pace
from lsp.context.reading import UNKNOWN, Refused
from lsp.documents import Document
from lsp.protocol import describe
from lsp.workspace import sources
from lsp.workspace.chosen import Chosen
from lsp.workspace.files import Files, Pools, has_rules
from lsp.workspace.ledger import Ledger, Refusal, Text, compared
from lsp.workspace.pending import Pending
from lsp.workspace.sync import Stream

log = logging.getLogger("caret.lsp")

ID_BYTES = 32
"""Random bytes of a workspace's id; whoever knows it may ask for what is in the workspace."""
AGAIN_S = 0.5
ATTEMPTS = 4
"""When, and how often in a row, a file is read again that is written while it is read."""
CPU_SHARE = 0.5
"""How much of a core this process may take while files are read and sent."""
LEAST_REST_S = 0.005


@dataclass(frozen=True, slots=True)
class _Opened:
    document: Document
    path: str
    """As the editor has it: it may be a link's."""


class Folder:
    """One folder's copy at the server. :meth:`start` it, and :meth:`close` it at the end."""

    def __init__(
        self,
        root: str,
        service: Service,
        pools: Pools,
        rules: Callable[[], Rules],
        max_bytes: int,
        workspace_id: str,
    ) -> None:
        """Take the folder, the server, what returns the folder's rules, and most bytes of files.

        ``workspace_id`` is what the server is to call it: only who knows it may ask for what is in it.
        """
        self.root = root
        self.workspace_id = workspace_id
        self._rules, self._pools = rules, pools
        self._ledger = Ledger(self.workspace_id)
        self._pending = Pending()
        self._opened: dict[str, list[_Opened]] = {}
        """By path; the one changed last is the last."""
        self._chosen = Chosen(max_bytes)
        self._attempts: Counter[str] = Counter()
        self._ruled = 0
        """How often the rules have changed."""
        self._taken = ""
        self._news = asyncio.Event()
        self._pace = Pace(CPU_SHARE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.stream = Stream(
            service, self._ledger,
            next_change=self._next_change,
            send_again=lambda: self._in_background(self._files.compare_all()),
            unsent=self._unsent,
            refused=self._refused,
        )  # fmt: skip
        self._files = Files(
            root, rules, pools, self._chosen, self._ledger, self._pending,
            opened=self._opened.keys(), limit=self._limit, news=self._news,
        )  # fmt: skip

    def start(self) -> None:
        """Begin, in the background."""
        self.stream.start()
        self._in_background(self._keep_passing())

    async def close(self) -> None:
        """Let the server forget the folder, and end what runs."""
        self._files.passes.close()
        for task in self._tasks:
            task.cancel()
        await self.stream.close()

    # What has happened

    def changed(self, path: str, document: Document, name: str) -> None:
        """Take notice that a document was opened or edited; ``name`` is its path for the editor."""
        opened = self._opened.setdefault(path, [])
        is_new = all(one.document is not document for one in opened)
        opened[:] = [one for one in opened if one.document is not document]
        opened.append(_Opened(document, name))
        now = self._now()
        if is_new:
            self._pending.document(path, now)
            self._files.opened_in(path)
        else:
            self._pending.edited(path, now)
        self._news.set()

    def closed(self, path: str, document: Document) -> None:
        """Take notice that a document is closed: what is on disk counts."""
        opened = [one for one in self._opened.get(path, ()) if one.document is not document]
        if opened:
            self._opened[path] = opened
            self._pending.document(path, self._now())
            self._news.set()
        elif self._opened.pop(path, None) is not None:
            self._in_background(self._files.look_at([path]))

    def files_changed(self, paths: Iterable[str]) -> None:
        """Take notice of files that were made, written or removed: paths relative to the folder."""
        inside = list(paths)
        if has_rules(inside):
            self.rules_changed()
        else:
            self._in_background(self._files.changed(inside))

    def rules_changed(self) -> None:
        """Take notice that other files may be sent than before."""
        self._ruled += 1
        self._chosen.forget_unfit()
        for path in self._opened:
            self._pending.document(path, self._now())
        self._news.set()
        self._files.passes.want(ruled=True)

    # What to send

    async def _next_change(self) -> pb.WorkspaceChange | None:
        while (taken := self._pending.take(self._now())) is None:
            self._news.clear()
            wait = self._pending.due_in(self._now())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._news.wait()
        path, is_removal = taken
        if is_removal:
            return self._ledger.removal(path)
        self._taken = path
        if path not in self._opened and (rest := self._pace.rest()) > LEAST_REST_S:
            await asyncio.sleep(rest)
        change = await self._change(path)
        self._taken = ""
        return change

    def _unsent(self) -> None:
        path, self._taken = self._taken, ""
        if path:
            self._again(path)

    def _refused(self, path: str, refusal: Refusal) -> None:
        """Send a file again where the server may have it after all."""
        if path not in self._opened and path not in self._chosen:
            return
        if refusal is Refusal.OF_EDIT or (
            refusal is Refusal.LET_GO and self._files.make_room(path)
        ):
            self._ledger.send_again(path)
            self._pending.document(path, self._now())  # before all that is wanted less
            self._news.set()

    async def _change(self, path: str) -> pb.WorkspaceChange | None:
        """Return the change for a file or document as it is now."""
        ruled = self._ruled
        seen = self._chosen.seen(path)
        try:
            text = await self._read(path)
        except sources.Changing:
            self._attempts[path] += 1
            if self._attempts[path] < ATTEMPTS:
                self._pending.later(path, self._now() + AGAIN_S)
                self._news.set()
            else:
                del self._attempts[path]
            return None
        except Exception as error:  # whatever it is, nothing of this text is sent
            if not isinstance(error, Refused | OSError | ValueError):
                log.error("workspace: %s", describe(error))
            if path not in self._opened and seen is not None:
                self._chosen.turned_out_unfit(path, seen)
            text = None
        self._attempts.pop(path, None)
        if ruled != self._ruled:  # it was judged by rules that are no more
            self._again(path)
            return None
        return self._ledger.removal(path) if text is None else self._ledger.change(path, text)

    async def _read(self, path: str) -> Text | None:
        """Return the text of a document or of a chosen file; None: it is neither."""
        before = self._ledger.before(path)
        rules, limit = self._rules(), self._limit()
        opened = self._opened.get(path)
        if opened:
            document, name = opened[-1].document, opened[-1].path
            if document.too_large:
                return None
            lines = tuple(document.content.lines)

            def work() -> Text:
                data = sources.of_document(rules, name, lines, limit)
                return compared(data, before, UNKNOWN, keep=True)
        elif path in self._chosen:

            def work() -> Text:
                data, stamp = sources.of_file(rules, path, limit)
                return compared(data, before, stamp, keep=False)
        else:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._pools.reading, work)

    def _again(self, path: str) -> None:
        if path in self._opened:
            self._pending.document(path, self._now())
        else:
            self._pending.file(path)
        self._news.set()

    async def _keep_passing(self) -> None:
        await self.stream.ever_established.wait()
        await self._files.passes.run()

    def _limit(self) -> int:
        """Return most bytes of one file."""
        limits = (self._rules().max_bytes, sources.LARGEST, self.stream.limit or sources.LARGEST)
        return min(limits)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("workspace: %s", describe(error))
