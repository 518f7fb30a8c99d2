"""The loading of the model, shown as work-done progress where the editor can show that.

An editor with the capability ``caretStatus`` is told of each stage besides, as ``caret/status``
with ``{stage}``: "loading", "ready" or "failed"; and once more when its settings hold.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp.client import Stage

if TYPE_CHECKING:
    from lsp.server import Server

log = logging.getLogger("caret.lsp")

TITLE = "Caret: loading the model"

STATUS = "caret/status"


class LoadingProgress:
    """Begins when the service begins to load and ends when it serves or, with a word of it, fails."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._number = 0
        self._over: asyncio.Future[Stage] | None = None
        self._stage: Stage | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    def changed(self, stage: Stage) -> None:
        """Take notice of the service's ``stage``."""
        log.info("service: %s", stage.value)
        self._stage = stage
        self.tell()
        if self._over is not None and not self._over.done():  # cancelled, where all ends
            self._over.set_result(stage)
        self._over = None
        if stage is not Stage.LOADING:
            self.close()
        window = self._server.client_capabilities.window
        if stage is Stage.LOADING and window and window.work_done_progress:
            self._number += 1
            self._over = asyncio.get_running_loop().create_future()
            self._server.in_background(self._show(f"caret-{self._number}", self._over))

    async def over(self) -> None:
        """Return once nothing is loading any more: the service serves, or has failed."""
        if self._stage is not Stage.LOADING:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def close(self) -> None:
        """Let nobody wait any longer."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def tell(self) -> None:
        """Tell the editor how far the service is, if it wants to know and there is one."""
        experimental = self._server.client_capabilities.experimental
        wanted = isinstance(experimental, Mapping) and experimental.get("caretStatus")
        if wanted and self._stage is not None:
            self._server.protocol.notify(STATUS, {"stage": self._stage.value})

    async def _show(self, token: str, over: asyncio.Future[Stage]) -> None:
        progress = self._server.work_done_progress
        try:
            await progress.create_async(token)
        except JsonRpcException:
            return  # the editor would rather not
        progress.begin(token, types.WorkDoneProgressBegin(title=TITLE, cancellable=False))
        message = "failed" if await over is Stage.FAILED else None
        progress.end(token, types.WorkDoneProgressEnd(message=message))
