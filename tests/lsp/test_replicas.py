"""Several servers as one service, with services whose answers the test decides."""

from __future__ import annotations

import asyncio
import contextlib

import grpc
import pytest

from completion.wire import completion_pb2 as pb
from completion.wire.rendezvous import ranked
from lsp import client
from lsp.client import Listener, Stage
from lsp.replicas import Replicas, addresses_of
from tests.lsp.conftest import candidate, running_service

TIMEOUT_S = 60.0


class Told:
    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.warned: list[str] = []
        self.failed: list[str] = []
        self.listener = Listener(
            stage=self.stages.append, warn=self.warned.append, fail=self.failed.append
        )


@contextlib.asynccontextmanager
async def two():
    async with running_service() as one, running_service() as other:
        told = Told()
        replicas = Replicas([one.address, other.address], told.listener)
        replicas.start()
        while not all(link.is_ready for link in replicas.links):
            await asyncio.sleep(0.005)
        try:
            yield replicas, (one, other), told
        finally:
            await replicas.close()


def ask(path: str = "a.py", **fields) -> pb.CompleteRequest:
    return pb.CompleteRequest(document=pb.Document(path=path, prefix=b"x = "), **fields)


def owner(path: str, services):
    order = ranked(path, [one.address for one in services])
    return [services[n] for n in order]


async def streamed(replicas: Replicas, request: pb.CompleteRequest) -> list[pb.CompleteChunk]:
    return [chunk async for chunk in replicas.stream(request, timeout_s=TIMEOUT_S)]


def test_addresses_are_a_list_with_commas():
    assert addresses_of(" unix:/a, 10.0.0.1:7,unix:/a ,") == ["unix:/a", "10.0.0.1:7"]
    assert addresses_of("") == []


async def test_a_document_keeps_to_its_server_whatever_is_asked():
    async with two() as (replicas, services, _):
        paths = [f"{n}.py" for n in range(20)]
        for path in paths * 3:
            assert await replicas.complete(ask(path), timeout_s=TIMEOUT_S)
            assert (await streamed(replicas, ask(path)))[-1].done
            score = pb.ScoreRequest(document=pb.Document(path=path), texts=[b"a"])
            assert await replicas.score(score, timeout_s=TIMEOUT_S)
        for one in services:
            mine = {path for path in paths if owner(path, services)[0] is one}
            assert mine
            assert {request.document.path for request in one.requests} == mine
            assert {request.document.path for request in one.scored} == mine


async def test_what_one_cannot_answer_the_other_does_and_it_gets_its_documents_back():
    async with two() as (replicas, services, told):
        first, second = owner("a.py", services)
        first.status = grpc.StatusCode.UNAVAILABLE
        assert await replicas.complete(ask(), timeout_s=TIMEOUT_S)
        assert (await streamed(replicas, ask()))[-1].done
        assert second.requests
        first.status = None
        number = services.index(first)
        while not replicas.links[number].is_ready:
            await asyncio.sleep(0.005)
        before = len(first.requests)
        assert await replicas.complete(ask(), timeout_s=TIMEOUT_S)
        assert len(first.requests) == before + 1
        assert told.failed == []
        assert told.stages[-1] is Stage.READY


@pytest.mark.parametrize("status", ["RESOURCE_EXHAUSTED", "INVALID_ARGUMENT", "INTERNAL"])
async def test_what_another_would_refuse_as_well_is_not_asked_of_it(status):
    async with two() as (replicas, services, _):
        first, second = owner("a.py", services)
        first.status = grpc.StatusCode[status]
        assert await replicas.complete(ask(), timeout_s=TIMEOUT_S) is None
        assert await streamed(replicas, ask()) == []
        assert second.requests == []


async def test_a_stream_that_breaks_in_its_middle_is_ended_by_the_other():
    text = "one\ntwo\nthree\n"
    async with two() as (replicas, services, _):
        first, second = owner("a.py", services)
        for one in services:
            one.answer = lambda request: candidate(text)
            one.lines = asyncio.Semaphore(0)
        chunks = replicas.stream(ask(), timeout_s=TIMEOUT_S)
        first.lines.release()
        got = [await anext(chunks)]
        for _ in range(3):
            second.lines.release()
        await first.stop()
        got += [chunk async for chunk in chunks]
        assert b"".join(chunk.text for chunk in got) == text.encode()
        assert [chunk.done for chunk in got] == [False, False, False, True]


async def test_where_the_other_comes_to_another_text_the_stream_ends_without_a_summary():
    async with two() as (replicas, services, _):
        first, second = owner("a.py", services)
        first.answer = lambda request: candidate("one\ntwo\n")
        second.answer = lambda request: candidate("uno\ndos\n")
        first.lines = asyncio.Semaphore(1)
        chunks = replicas.stream(ask(), timeout_s=TIMEOUT_S)
        got = [await anext(chunks)]
        await first.stop()
        got += [chunk async for chunk in chunks]
        assert [chunk.text for chunk in got] == [b"one\n"]


async def test_only_when_all_are_out_of_reach_is_it_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "REACH_S", 0.1)
    async with running_service() as one:
        told = Told()
        replicas = Replicas([one.address, f"unix:{tmp_path}/nobody"], told.listener)
        replicas.start()
        while not told.warned:
            await asyncio.sleep(0.01)
        assert "the other servers go on" in told.warned[0]
        assert told.failed == []
        assert await replicas.complete(ask(), timeout_s=TIMEOUT_S)
        await one.stop()
        assert await replicas.complete(ask(), timeout_s=TIMEOUT_S) is None
        while not told.failed:
            await asyncio.sleep(0.01)
        assert not replicas.is_ready
        assert told.stages[-1] is Stage.FAILED
        await replicas.close()


async def test_a_cancelled_request_is_cancelled_at_the_server_and_not_asked_again():
    async with two() as (replicas, services, _):
        first, second = owner("a.py", services)
        first.gate.clear()
        asked = asyncio.create_task(replicas.complete(ask(), timeout_s=TIMEOUT_S))
        await first.until(lambda one: one.running == 1)
        asked.cancel()
        await first.until(lambda one: one.cancelled == 1)
        assert second.requests == []
