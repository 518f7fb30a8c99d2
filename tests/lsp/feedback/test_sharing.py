"""Events on their way to a server that is slow, gone for a while, or too old."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from lsp import client
from lsp.feedback import sharing
from lsp.feedback.sharing import BATCH, MOST_WAITING, Sharing
from tests.lsp.feedback.made import event


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(sharing, "RETRY_S", 0.0)


async def calls(service, number: int) -> list[list[str]]:
    """The ids that came with each of the first calls."""
    await service.until(lambda service: len(service.feedback_calls) >= number)
    return service.feedback_calls


@pytest.fixture
async def shared(service):
    connection = client.Service(address=service.address, listener=client.Listener())
    connection.start()
    one = Sharing(connection)
    yield one
    await one.close()
    await connection.close()


async def test_many_go_in_batches_in_order(service, shared):
    sent = [event(str(n)) for n in range(2 * BATCH + 1)]
    shared.add(sent)
    came = await calls(service, 3)
    assert [len(call) for call in came] == [BATCH, BATCH, 1]
    assert [one for call in came for one in call] == [e.event_id for e in sent]


async def test_what_may_not_have_arrived_is_sent_again_as_the_same_events(service, shared):
    service.refuse_feedback = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED]
    shared.add([event("a"), event("b")])
    first, second, third = await calls(service, 3)
    assert first == second == third and len(first) == 2


async def test_a_server_that_knows_no_feedback_is_not_asked_the_same_again(service, shared):
    service.refuse_feedback = [grpc.StatusCode.UNIMPLEMENTED]
    first, second = event("a"), event("b")
    shared.add([first])
    await calls(service, 1)
    while shared._waiting:
        await asyncio.sleep(0)
    shared.add([second])
    assert await calls(service, 2) == [[first.event_id], [second.event_id]]


async def test_without_a_server_it_waits_within_bounds(service, tmp_path):
    nobody = client.Service(address=f"unix:{tmp_path / 'x'}", listener=client.Listener())
    one = Sharing(nobody)
    one.add([event(str(n)) for n in range(MOST_WAITING + 7)])
    assert len(one._waiting) == MOST_WAITING
    assert one._waiting[0].completion_id == "7"
    await one.close()
    await nobody.close()
