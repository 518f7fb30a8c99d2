"""Any message at all, proper, nearly so or not: requests are answered once, and the session goes on.

``CARET_FUZZ_SECONDS`` says for how long (default 5).
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import os
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from lsprotocol import types

from lsp.framing import encode
from lsp.session import LspSession
from tests.fuzzing import fuzz

SECONDS = float(os.environ.get("CARET_FUZZ_SECONDS", "5"))
EXAMPLES = 100
"""Of one round; the clock is looked at between rounds."""

URI = "file:///fuzzed/a.py"
SANE = Path("/fuzzed/sane.py")
_DOCUMENT = {"uri": URI}
_PLACE = {"line": 0, "character": 2}
_RANGE = {"start": _PLACE, "end": {"line": 1, "character": 0}}
_NOTEBOOK = {"uri": "file:///fuzzed/n.ipynb", "version": 1, "notebookType": "jupyter-notebook"}
_CELL = {"kind": 2, "document": "vscode-notebook-cell:/fuzzed/n.ipynb#1"}
_ITEM = {"uri": _CELL["document"], "languageId": "python", "version": 1, "text": "x = 1"}
_FILE = {"uri": "file:///fuzzed/b.py"}

PROPER: dict[str, Any] = {
    "textDocument/didOpen": {"textDocument": {**_ITEM, "uri": URI, "text": "x = 1\r\ny = 😀\n"}},
    "textDocument/didChange": {
        "textDocument": {**_DOCUMENT, "version": 2},
        "contentChanges": [{"range": _RANGE, "text": "z\u2028"}, {"text": "all\n"}],
    },
    "textDocument/didSave": {"textDocument": _DOCUMENT},
    "textDocument/didClose": {"textDocument": _DOCUMENT},
    "textDocument/completion": {"textDocument": _DOCUMENT, "position": _PLACE},
    "textDocument/inlineCompletion": {
        "textDocument": _DOCUMENT, "position": _PLACE,
        "context": {"triggerKind": 1, "selectedCompletionInfo": {"range": _RANGE, "text": "x"}},
        "formattingOptions": {"tabSize": 4, "insertSpaces": True},
    },
    "notebookDocument/didOpen": {
        "notebookDocument": {**_NOTEBOOK, "cells": [_CELL]}, "cellTextDocuments": [_ITEM],
    },
    "notebookDocument/didChange": {
        "notebookDocument": _NOTEBOOK,
        "change": {"cells": {
            "structure": {"array": {"start": 0, "deleteCount": 1, "cells": [_CELL]}},
            "textContent": [{"document": {"uri": _CELL["document"], "version": 2},
                             "changes": [{"text": "y"}]}],
        }},
    },
    "notebookDocument/didClose": {
        "notebookDocument": _NOTEBOOK, "cellTextDocuments": [{"uri": _CELL["document"]}],
    },
    "workspace/didChangeConfiguration": {"settings": {"caret": {"disabled_languages": []}}},
    "workspace/didChangeWatchedFiles": {"changes": [{"uri": URI, "type": 3}]},
    "workspace/didChangeWorkspaceFolders": {
        "event": {"added": [{"uri": "file:///fuzzed/w", "name": "w"}],
                  "removed": [{"uri": "file:///fuzzed", "name": "fuzzed"}]},
    },
    "workspace/didRenameFiles": {"files": [{"oldUri": URI, "newUri": "file:///fuzzed/b.py"}]},
    "workspace/didDeleteFiles": {"files": [_FILE]},
    "workspace/executeCommand": {"command": "caret.accepted", "arguments": ["none", 0]},
    "window/workDoneProgress/cancel": {"token": "caret"},
    "initialize": {"processId": None, "rootUri": None, "capabilities": {}},
    "initialized": {},
    "$/cancelRequest": {"id": 7},
    "$/setTrace": {"value": "verbose"},
    "caret/explain": {"textDocument": _DOCUMENT, "position": _PLACE},
    "caret/silence": {"textDocument": _DOCUMENT},
    "caret/cursorMoved": {"textDocument": _DOCUMENT, "position": _PLACE},
    "caret/didShowCompletion": {"completionId": "none", "candidate": 0, "visibleMs": 800},
    "caret/didPartlyAcceptCompletion": {"completionId": "none", "candidate": 0, "acceptedLength": 2},
    "caret/didDismissCompletion": {"completionId": "none", "candidate": 0, "reason": "escape"},
}  # fmt: skip
ENDING = ("shutdown", "exit")
METHODS = sorted({*PROPER, *types.METHOD_TO_TYPES, "no/such", "$/no/such", ""} - {*ENDING})

_numbers = st.integers(-(2**53), 2**53) | st.sampled_from([0, 1, -1, 2**31, 2**63, 1e308])
_texts = st.text(max_size=12) | st.sampled_from(
    [URI, "file:///", "untitled:x", "\ud800", "http://a/"]
)
_scalars = st.none() | st.booleans() | _numbers | _texts
_anything = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    inner = [
        _places(value[key], (*path, key)) for key in keys if isinstance(value[key], (dict, list))
    ]
    return [(*path, key) for key in keys] + [one for some in inner for one in some]


@st.composite
def params(draw: st.DrawFn, method: str) -> Any:
    """What the method asks for, as it is or with up to two places changed; or anything."""
    if method not in PROPER or draw(st.integers(0, 9)) == 0:
        return draw(_anything)
    found = copy.deepcopy(PROPER[method])
    for _ in range(draw(st.integers(0, 2))):
        if not (places := _places(found)):
            break
        *path, key = draw(st.sampled_from(places))
        inside = found
        for one in path:
            inside = inside[one]
        if draw(st.booleans()):
            inside[key] = draw(_anything)
        else:
            del inside[key]
    return found


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """A request or a notification of any method; an id of the test's own comes with it later."""
    method = draw(st.sampled_from(METHODS) | st.sampled_from(sorted(PROPER)))
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if draw(st.integers(0, 9)):
        message["params"] = draw(params(method))
    is_notification = "did" in method.rpartition("/")[2] or method.startswith("$/")
    message["request"] = draw(st.integers(0, 9)) < (1 if is_notification else 9)
    return message


class Driver:
    """A language server that lasts for many examples, and is another one behind each that ends it."""

    def __init__(self, start: Callable[[], AbstractAsyncContextManager[LspSession]]) -> None:
        self._start = start
        self._open: AsyncExitStack | None = None
        self._session: LspSession | None = None
        self.messages = 0

    async def check(self, batch: list[dict[str, Any]]) -> None:
        if self._session is None:
            self._open = AsyncExitStack()
            self._session = await self._open.enter_async_context(self._start())
        session = self._session
        try:
            asked = []
            for index, message in enumerate(batch):
                sent = dict(message)
                if sent.pop("request"):
                    sent["id"] = f"{id(batch)} {index}"
                    asked.append(sent["id"])
                session.write(encode(sent))
            async with asyncio.timeout(30):
                uri = session.open(SANE, "x = 1\n")
                await session.complete(uri, 0, 5)  # answered: it lives, and does not hang
                session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
                while not all(session.responses[one] for one in asked):
                    await asyncio.sleep(0.005)
            assert session.process.returncode is None
            assert all(len(session.responses[one]) == 1 for one in asked)
        except BaseException as error:
            error.add_note(f"after {batch}")
            unanswered = [one for one in asked if len(session.responses[one]) != 1]
            error.add_note(f"not answered once: {unanswered}")
            await self.end()
            raise
        session.responses.clear()
        self.messages += len(batch)

    async def end(self) -> None:
        if self._open is not None:
            await self._open.aclose()
        self._session = self._open = None


@pytest.mark.timeout(300 + SECONDS)
async def test_each_request_is_answered_once_and_the_session_goes_on(editor):
    driver, loop = Driver(editor), asyncio.get_running_loop()

    batches = st.lists(messages(), min_size=1, max_size=6)

    end = time.monotonic() + SECONDS
    try:
        for number in itertools.count(int(time.time())):
            await asyncio.to_thread(
                fuzz, batches, driver.check, loop, number=number, examples=EXAMPLES
            )
            if time.monotonic() > end:
                break
    finally:
        await driver.end()
    print(f"{driver.messages} messages")
