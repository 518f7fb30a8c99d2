"""Lists of names from a real `caret lsp`, asked as an editor asks; how they are ranked is a setting."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from completion.errors import CaretError
from eval.errors import EngineGone
from eval.item import Item
from eval.workspace.place import Place
from lsp.session import LspSession, lsp_command

BUDGET_MS = 60_000
"""No list is given up: what is measured is the order, on any machine."""


class PopupSession:
    """One language server for all items, each opened as it stands in its own workspace folder."""

    def __init__(self, address: str) -> None:
        """Take the address of the service that scores."""
        self._address = address
        self._session: LspSession | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="caret-popup-"))
        self._roots: set[Path] = set()
        self._opened = 0

    async def lists(
        self, item: Item, place: Place | None, rankings: tuple[str, ...]
    ) -> list[tuple[list[str], bool]]:
        """Return for each ranking the names at the item's cursor, best first, and whether the model
        has been asked about fewer than it should.

        Raises:
            EngineGone: the language server has ended, or finds no service.
        """
        try:
            return await self._lists(item, place, rankings)
        except CaretError as error:
            raise EngineGone(error.message) from None

    async def close(self) -> None:
        """End the language server."""
        session, self._session = self._session, None
        if session is not None:
            await session.__aexit__(None, None, None)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _lists(
        self, item: Item, place: Place | None, rankings: tuple[str, ...]
    ) -> list[tuple[list[str], bool]]:
        session = self._session or await self._start()
        root = place.root.absolute() if place is not None else None
        if root is not None and root not in self._roots:
            self._roots.add(root)
            added = [{"uri": root.as_uri(), "name": root.name}]
            session.notify(
                "workspace/didChangeWorkspaceFolders", {"event": {"added": added, "removed": []}}
            )
        self._opened += 1
        path = (
            root / place.path if root is not None and place is not None else self._folder / "a.py"
        )
        prefix = item.prefix.decode("utf-8", "replace")
        text = prefix + item.suffix.decode("utf-8", "replace")
        uri = session.open(path, text, item.language, version=self._opened)
        line = prefix.count("\n")
        column = len(prefix.rpartition("\n")[2].encode())
        # before the first list: a document is only sent when it has been searched for secrets
        await session.complete(uri, line, column)
        found: list[tuple[list[str], bool]] = []
        for ranking in rankings:
            popup = {"budget_ms": BUDGET_MS, "ranking": ranking}
            session.notify("workspace/didChangeConfiguration", {"settings": {"popup": popup}})
            answer = await session.names(uri, line, column)
            names = [one["label"] for one in answer["items"]]
            found.append((names, bool(answer["isIncomplete"])))
        session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        return found

    async def _start(self) -> LspSession:
        environment = {
            # of other files the model knows nothing here, as in `cardinal`; jedi does
            "CARET_CONTEXT_ENABLED": "false",
            "CARET_CONTEXT_INDEX": "false",
            "CARET_WORKSPACE_MODEL_ENABLED": "false",
            "CARET_CLIENT_TIMEOUT_MS": "10",
            "XDG_CONFIG_HOME": str(self._folder / "config"),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(self._folder / "cache")),
        }
        session = LspSession(lsp_command("--server", self._address), environment=environment)
        await session.__aenter__()
        self._session = session
        await session.initialize(None, encodings=("utf-8",))
        await session.ready()
        return session
