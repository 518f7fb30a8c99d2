"""Requests while the model loads: by itself nothing is suggested, who asks gets an answer when it has."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from lsp.session import LspSession, inline, lsp_command

METHOD = "textDocument/inlineCompletion"
INVOKED = {"triggerKind": 1}


@contextlib.asynccontextmanager
async def loading(address, tmp_path):
    environment = {
        f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "CONFIG", "CACHE")
    }
    async with LspSession(lsp_command("--server", address), environment=environment) as session:
        await session.initialize(tmp_path)
        yield session


async def test_who_asks_is_answered_once_it_has_loaded(service, tmp_path):
    await service.loaded(False)
    async with loading(service.address, tmp_path) as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        _, asked = session.send(METHOD, inline(uri, 0, 4, **INVOKED))
        number, given_up = session.send(METHOD, inline(uri, 0, 3, **INVOKED))
        assert (await session.complete(uri, 0, 4)).items == (), "nobody asked for this one"
        session.cancel(number)
        assert (await given_up)["error"]["code"] == -32800
        assert not asked.done()
        await service.loaded(True)
        assert [one["insertText"] for one in (await asked)["result"]["items"]] == ["done"]
        assert len(service.requests) == 1


async def test_what_was_asked_for_a_text_that_is_no_more_is_answered_with_nothing(
    service, tmp_path
):
    await service.loaded(False)
    async with loading(service.address, tmp_path) as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        _, asked = session.send(METHOD, inline(uri, 0, 4, **INVOKED))
        await session.complete(uri, 0, 4)  # the one before it has begun to wait
        start = {"line": 0, "character": 0}
        session.change(uri, 2, {"range": {"start": start, "end": start}, "text": "yy"})
        await service.loaded(True)
        assert (await asked)["result"] == {"items": []}
        assert service.requests == []


@pytest.mark.parametrize("end", ["failed", "shutdown"])
async def test_nobody_waits_for_what_does_not_come(tmp_path, end):
    async with loading(f"unix:{tmp_path / 'nobody'}", tmp_path) as session:
        uri = session.open(tmp_path / "a.py", "x = ")
        _, asked = session.send(METHOD, inline(uri, 0, 4, **INVOKED))
        if end == "shutdown":
            await session.request("shutdown", None)
        async with asyncio.timeout(60):
            answer = await asked
        if end == "failed":
            assert answer["result"] == {"items": []}
        else:
            assert "result" in answer or answer["error"]["code"] == -32800, "it was cancelled"
