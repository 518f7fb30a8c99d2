"""The connection to a service elsewhere, as the language server keeps it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from completion.wire import completion_pb2 as pb
from lsp import client


class Told:
    """A listener that remembers; ``until`` waits for a stage."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.stages: list[client.Stage] = []
        self._news = asyncio.Event()
        self.listener = client.Listener(stage=self._stage, fail=self.failures.append)

    def _stage(self, stage: client.Stage) -> None:
        self.stages.append(stage)
        self._news.set()

    async def until(self, stage: client.Stage) -> None:
        while stage not in self.stages:
            self._news.clear()
            await self._news.wait()


@pytest.fixture
def short_reach(monkeypatch):
    monkeypatch.setattr(client, "REACH_S", 0.1)


async def test_a_service_that_still_loads_is_waited_for_and_not_called_missing(
    service, short_reach, caplog
):
    await service.loaded(False)
    told = Told()
    connection = client.Service(address=service.address, listener=told.listener)
    with caplog.at_level(logging.ERROR, logger="caret.lsp"):
        connection.start()
        while caplog.text.count("still loading") < 2:  # given up on twice
            await asyncio.sleep(0.01)
    assert told.stages == [client.Stage.LOADING]
    await service.loaded(True)
    await told.until(client.Stage.READY)
    assert told.failures == []
    await connection.close()


async def test_a_service_that_is_not_there_is_said_once(tmp_path, short_reach, caplog):
    told = Told()
    connection = client.Service(address=f"unix:{tmp_path / 'nobody'}", listener=told.listener)
    with caplog.at_level(logging.ERROR, logger="caret.lsp"):
        connection.start()
        while caplog.text.count("did not come up") < 3:
            await asyncio.sleep(0.01)
    assert told.stages == [client.Stage.LOADING, client.Stage.FAILED]
    assert len(told.failures) == 1
    await connection.close()


async def test_what_is_under_way_when_the_channel_is_closed_has_no_answer_and_goes_on(service):
    """As when a server that was started dies: nobody has cancelled whoever waits."""
    told = Told()
    connection = client.Service(address=service.address, listener=told.listener)
    connection.start()
    await told.until(client.Stage.READY)
    service.gate.clear()
    service.score_gate.clear()

    async def lines() -> list[pb.CompleteChunk]:
        stream = connection.stream(pb.CompleteRequest(), timeout_s=60.0)
        return [chunk async for chunk in stream]

    waiting = [
        asyncio.create_task(connection.complete(pb.CompleteRequest(), timeout_s=60.0)),
        asyncio.create_task(lines()),
        asyncio.create_task(connection.score(pb.ScoreRequest(), timeout_s=60.0)),
    ]
    await service.until(lambda one: one.running == 2 and len(one.scored) == 1)
    await connection.close()
    assert await asyncio.gather(*waiting) == [None, [], None]


async def test_whoever_cancels_a_call_is_not_told_that_there_is_no_answer(service):
    told = Told()
    connection = client.Service(address=service.address, listener=told.listener)
    connection.start()
    await told.until(client.Stage.READY)
    service.gate.clear()
    asked = asyncio.create_task(connection.complete(pb.CompleteRequest(), timeout_s=60.0))
    await service.until(lambda one: one.running == 1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await service.until(lambda one: one.cancelled == 1)
    await connection.close()
