"""A minimal editor: drives a language server over standard input and output, and remembers.

`caret demo`, the measurements and the tests use it. It keeps every response by its request, so
that "answered exactly once" can be checked, and it waits for events, never for a time.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from completion.errors import CaretError
from completion.wire.environment import child_environment
from completion.wire.own_server import last_error
from lsp.framing import Framer, Malformed, encode

Message = dict[str, Any]


class RefusedError(CaretError):
    """A request that was answered with an error; ``code`` is the one of JSON-RPC or LSP."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What an editor would show, and how long it took from request to answer, in milliseconds."""

    items: tuple[Message, ...]
    milliseconds: float

    @property
    def text(self) -> str:
        """The first item's text; empty when there is none."""
        return self.items[0]["insertText"] if self.items else ""


def lsp_command(*arguments: str) -> list[str]:
    """Return the command line of ``caret lsp`` in this interpreter."""
    return [sys.executable, "-m", "completion.cli", "lsp", *arguments]


class LspSession:
    """One editor and its server. ``async with`` it; then :meth:`initialize`, :meth:`open`, …"""

    def __init__(
        self,
        command: Sequence[str],
        *,
        settings: Any = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = list(command)
        self._environment = {**child_environment(), **(environment or {})}
        self.settings = settings
        self.responses: dict[Any, list[Message]] = defaultdict(list)
        self.notifications: list[Message] = []
        self.requests: list[Message] = []
        self.malformed: list[Malformed] = []
        self.stderr = b""
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Message]] = {}
        self._ended: CaretError | None = None
        self._news = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self.process: asyncio.subprocess.Process

    async def __aenter__(self) -> LspSession:
        """Start the server's process."""
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=self._environment
        )
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._drain())]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the server's input, which ends it, and wait for that."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 10)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        for task in self._tasks:
            await asyncio.wait({task}, timeout=1)
            task.cancel()

    async def initialize(
        self,
        root: Path | None = None,
        *,
        encodings: Sequence[str] = ("utf-8",),
        options: Any = None,
        capabilities: Mapping[str, Any] | None = None,
    ) -> Message:
        """Do the opening exchange; return what the server said of itself."""
        result = await self.request("initialize", {
            "processId": None,
            "rootUri": root.as_uri() if root else None,
            "initializationOptions": options,
            "capabilities": {
                "general": {"positionEncodings": list(encodings)},
                "window": {"workDoneProgress": True},
                "workspace": {"configuration": self.settings is not None},
                "textDocument": {"inlineCompletion": {}},
                "notebookDocument": {"synchronization": {}},
                **(capabilities or {}),
            },
        })  # fmt: skip
        self.notify("initialized", {})
        return result

    async def ready(self, timeout_s: float = 180.0) -> None:
        """Return when the service serves, as the end of its progress says.

        Raises:
            CaretError: with what the server showed as an error, or after ``timeout_s`` seconds.
        """

        def over(message: Message) -> bool:
            if message["method"] == "window/showMessage" and message["params"]["type"] == 1:
                raise CaretError(message["params"]["message"])
            return message["method"] == "$/progress" and message["params"]["value"]["kind"] == "end"

        await self.notification(over, timeout_s)

    def open(self, path: Path, text: str, language_id: str = "python", version: int = 1) -> str:
        """Open a document; return its URI."""
        uri = path.absolute().as_uri()
        self.notify("textDocument/didOpen", {"textDocument": {
            "uri": uri, "languageId": language_id, "version": version, "text": text,
        }})  # fmt: skip
        return uri

    def change(self, uri: str, version: int, *changes: Message) -> None:
        """Change a document, each change as LSP has it: a range and a text, or a text only."""
        identifier = {"uri": uri, "version": version}
        params = {"textDocument": identifier, "contentChanges": list(changes)}
        self.notify("textDocument/didChange", params)

    def open_notebook(
        self, path: Path, cells: Sequence[tuple[str, str]], *, kind: str = "jupyter-notebook"
    ) -> list[str]:
        """Open a notebook of (language id, text) cells, as VS Code names them; return their URIs."""
        uris = [self.cell_uri(path, number) for number in range(len(cells))]
        notebook = {
            "uri": path.absolute().as_uri(), "notebookType": kind, "version": 1,
            "cells": [cell(uri, language) for uri, (language, _) in zip(uris, cells, strict=True)],
        }  # fmt: skip
        texts = [item(uri, *one) for uri, one in zip(uris, cells, strict=True)]
        self.notify(
            "notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts}
        )
        return uris

    def change_notebook(self, path: Path, version: int, **cells: Any) -> None:
        """Change a notebook: ``structure``, ``textContent`` or ``data`` of its cells, as in LSP."""
        identifier = {"uri": path.absolute().as_uri(), "version": version}
        params = {"notebookDocument": identifier, "change": {"cells": cells}}
        self.notify("notebookDocument/didChange", params)

    def close_notebook(self, path: Path, cells: Sequence[str]) -> None:
        """Close a notebook and its cells, by their URIs."""
        self.notify("notebookDocument/didClose", {
            "notebookDocument": {"uri": path.absolute().as_uri()},
            "cellTextDocuments": [{"uri": uri} for uri in cells],
        })  # fmt: skip

    @staticmethod
    def cell_uri(path: Path, number: int) -> str:
        """Return a name for a cell: VS Code's scheme, the notebook's path, and a mark."""
        where = path.absolute().as_uri().removeprefix("file://")
        return f"vscode-notebook-cell:{where}#W{number}sZmlsZQ%3D%3D"

    async def complete(self, uri: str, line: int, character: int, **context: Any) -> Shown:
        """Ask for an inline completion at a zero-based position in the negotiated units."""
        started = time.perf_counter()
        answer = await self.request(
            "textDocument/inlineCompletion", inline(uri, line, character, **context)
        )
        taken = (time.perf_counter() - started) * 1000
        return Shown(items=tuple((answer or {}).get("items", ())), milliseconds=taken)

    async def names(self, uri: str, line: int, character: int) -> Message:
        """Ask for the list of names at a zero-based position; return it as it came."""
        return await self.request("textDocument/completion", {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 1},
        })  # fmt: skip

    async def shutdown(self) -> int:
        """End the session in order; return the server's exit status."""
        await self.request("shutdown", None)
        self.notify("exit", None)
        return await self.process.wait()

    async def request(self, method: str, params: Any) -> Any:
        """Return the result of a request.

        Raises:
            RefusedError: when it is answered with an error.
            CaretError: when the server ends without answering.
        """
        _, future = self.send(method, params)
        answer = await future
        if "error" in answer:
            raise RefusedError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def send(self, method: str, params: Any) -> tuple[int, asyncio.Future[Message]]:
        """Send a request; return its id and its answer to come, error or not."""
        number = next(self._ids)
        future = self._pending[number] = asyncio.get_running_loop().create_future()
        self.write(encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
        if self._ended is not None:
            future.set_exception(self._ended)
            future.exception()
        return number, future

    def cancel(self, number: int) -> None:
        """Cancel a request."""
        self.notify("$/cancelRequest", {"id": number})

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.write(encode({"jsonrpc": "2.0", "method": method, "params": params}))

    def write(self, data: bytes) -> None:
        """Send bytes as they are, for those who would break the protocol."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    async def notification(
        self, wanted: Callable[[Message], bool], timeout_s: float = 60.0
    ) -> Message:
        """Return the first notification received, or yet to come, that ``wanted`` is true of.

        Raises:
            CaretError: when none came in ``timeout_s`` seconds.
        """
        seen = 0
        try:
            async with asyncio.timeout(timeout_s), self._news:
                while True:
                    for message in self.notifications[seen:]:
                        seen += 1
                        if wanted(message):
                            return message
                    await self._news.wait()
        except TimeoutError:
            raise CaretError(f"the language server said nothing for {timeout_s:.0f} s") from None

    async def _read(self) -> None:
        assert self.process.stdout is not None
        framer = Framer()
        while data := await self.process.stdout.read(1 << 16):
            for message in framer.feed(data):
                self._take(message)
            async with self._news:
                self._news.notify_all()
        await asyncio.wait(self._tasks[1:], timeout=1)
        reason = (
            last_error(self.stderr.decode("utf-8", "replace").splitlines()) or "no reason given"
        )
        self._ended = CaretError(f"the language server has ended: {reason}")
        for future in self._pending.values():
            if not future.done():
                future.set_exception(self._ended)
                future.exception()  # whoever waits sees it; nobody needs to

    def _take(self, message: Message | Malformed) -> None:
        if isinstance(message, Malformed):
            self.malformed.append(message)
        elif "method" not in message:
            self.responses[message["id"]].append(message)
            future = self._pending.pop(message["id"], None)
            if future is not None and not future.done():
                future.set_result(message)
        elif "id" not in message:
            self.notifications.append(message)
        else:
            self.requests.append(message)
            items = message["params"].get("items", ()) if message["params"] else ()
            is_configuration = message["method"] == "workspace/configuration"
            result = [self.settings for _ in items] if is_configuration else None
            self.write(encode({"jsonrpc": "2.0", "id": message["id"], "result": result}))

    async def _drain(self) -> None:
        assert self.process.stderr is not None
        while data := await self.process.stderr.read(1 << 16):
            self.stderr += data


def cell(uri: str, language_id: str) -> Message:
    """Return a cell of a notebook: 2 is code, 1 is text."""
    return {"kind": 1 if language_id == "markdown" else 2, "document": uri}


def item(uri: str, language_id: str, text: str) -> Message:
    """Return a document as it is opened."""
    return {"uri": uri, "languageId": language_id, "version": 1, "text": text}


def inline(uri: str, line: int, character: int, **context: Any) -> Message:
    """Return the parameters of ``textDocument/inlineCompletion``; automatic by default."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2, **context},
    }
