"""What of an open document may leave the machine: the ignore rules, and secrets hidden in it.

Asked at every keystroke, so it reads little: the rules' answer holds for a moment, and of the text
only lines that have changed are searched again. The first search of a document runs beside the
handlers; until it has ended, nothing of the document is sent.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lsp.context.masking import Hidden, LineSecrets
from lsp.context.secrets import secret_name
from lsp.documents import Document
from lsp.paths import file_path, root_of

if TYPE_CHECKING:
    from lsp.context.secrets import Secret

FRESH_S = 2.0
"""How long an answer of the rules is taken as true, in seconds."""

ATTEMPTS = 3
"""How often in a row a text that goes on changing is searched for one request."""

UNREAD = "unread"
"""The reason while the first search is not over."""


class Rules(Protocol):
    """What :class:`lsp.context.ignore.Rules` promises."""

    def allows(self, path: Path, size: int | None = None) -> str:
        """Return why ``path`` may not be sent, or nothing."""
        ...


Find = Callable[[bytes], Sequence["Secret"]]
"""Returns the secrets of a text."""


class Permission:
    """Answers for open documents, from the event loop only; :meth:`close` it at the end."""

    def __init__(self, rules_of: Callable[[str], Rules], find: Find) -> None:
        """Take what returns the rules of a workspace folder, and what finds secrets."""
        self._rules_of = rules_of
        self._find = find
        self._ruled: dict[str, tuple[float, str]] = {}
        self._searched: weakref.WeakKeyDictionary[Document, LineSecrets] = (
            weakref.WeakKeyDictionary()
        )
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="secrets")

    def prepare(self) -> None:
        """Load what searches for secrets, beside the event loop: it takes a while."""
        self._pool.submit(self._find, b"")

    def refused(self, document: Document, roots: Sequence[str]) -> str:
        """Return why nothing of ``document`` may be sent, as far as is known now."""
        reason = self._by_rules(file_path(document.file_uri), roots)
        return reason or ("" if self._search_of(document).is_known else UNREAD)

    def hidden(self, document: Document, line: int, column: int, reach: int) -> Hidden:
        """Return what of a document that is not refused is hidden near a cursor."""
        return self._search_of(document).hidden(self._find, line, column, reach)

    async def known(self, document: Document) -> None:
        """Wait until the text of ``document`` is searched as far as that takes long."""
        searched = self._search_of(document)
        for _ in range(ATTEMPTS):  # it may be changed again at large while it is searched
            if searched.is_known:
                return
            await searched.search_all(self._pool, self._find)

    async def search_again(self, document: Document) -> None:
        """Search the whole text of ``document`` if it is time for that."""
        searched = self._search_of(document)
        if searched.wants_search:
            await searched.search_all(self._pool, self._find)

    def forget(self) -> None:
        """Ask the rules anew: they, or the folders, have changed."""
        self._ruled.clear()

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _by_rules(self, path: str | None, roots: Sequence[str]) -> str:
        root = root_of(path, roots) if path else ""
        if path and secret_name(path):
            return "secret"
        if not path or not root:
            return ""  # in no workspace folder: no rules are there for it
        asked, reason = self._ruled.get(path, (0.0, ""))
        now = time.monotonic()
        if path not in self._ruled or now - asked > FRESH_S:
            # The size is the editor's to judge: here it is a file that someone works on.
            reason = self._rules_of(root).allows(Path(path), 0)
            if len(self._ruled) > 1000:
                self._ruled.clear()
            self._ruled[path] = (now, reason)
        return reason

    def _search_of(self, document: Document) -> LineSecrets:
        found = self._searched.get(document)
        if found is None:
            found = self._searched[document] = LineSecrets(document)
            document.followers.append(found)
        return found
