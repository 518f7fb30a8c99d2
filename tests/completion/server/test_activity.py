"""When a server counts as idle."""

from __future__ import annotations

import asyncio

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from completion.server.activity import Activity
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc


class Slow(rpc.CompletionServiceServicer):
    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.closed = asyncio.Event()

    async def Complete(self, request, context):
        await self.gate.wait()
        return pb.CompleteResponse(model="slow")

    async def StreamComplete(self, request, context):
        try:
            yield pb.CompleteChunk(text=b"a")
            await self.gate.wait()
            yield pb.CompleteChunk(text=b"b")
        finally:
            self.closed.set()

    async def RecordFeedback(self, request_iterator, context):
        return pb.FeedbackSummary(recorded=len([event async for event in request_iterator]))

    async def SyncWorkspace(self, request_iterator, context):
        async for change in request_iterator:
            yield pb.WorkspaceState(acked_version=change.version)


@pytest.fixture
async def served(tmp_path):
    activity, slow = Activity(), Slow()
    server = grpc.aio.server(interceptors=[activity])
    rpc.add_CompletionServiceServicer_to_server(slow, server)
    health_pb2_grpc.add_HealthServicer_to_server(health_aio.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    yield activity, slow, channel
    await channel.close()
    await server.stop(None)


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


async def test_each_kind_of_call_counts_while_it_is_open_and_answers_as_ever(served):
    activity, slow, channel = served
    stub = rpc.CompletionServiceStub(channel)
    unary = asyncio.ensure_future(stub.Complete(pb.CompleteRequest()))
    await until(lambda: activity.open == 1)
    stream = stub.StreamComplete(pb.CompleteRequest())
    assert (await stream.read()).text == b"a"
    assert activity.open == 2
    slow.gate.set()
    assert (await unary).model == "slow"
    assert (await stream.read()).text == b"b"
    sync = stub.SyncWorkspace()
    await sync.write(pb.WorkspaceChange(version=7))
    assert (await sync.read()).acked_version == 7
    assert activity.open >= 1
    await sync.done_writing()
    summary = await stub.RecordFeedback(iter([pb.FeedbackEvent()] * 3))
    assert summary.recorded == 3
    await until(lambda: activity.open == 0)


async def test_it_is_not_idle_while_one_watches_and_is_when_that_one_has_gone(served):
    activity, _, channel = served
    stub = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    await watch.read()
    idle = asyncio.create_task(activity.wait_idle(0))
    for _ in range(5):  # each a whole round through the server and its loop
        await stub.Check(health_pb2.HealthCheckRequest())
    assert not idle.done()
    watch.cancel()
    async with asyncio.timeout(30):
        await idle


async def test_a_stream_that_is_given_up_is_ended_at_once_and_no_longer_counts(served):
    activity, slow, channel = served
    stream = rpc.CompletionServiceStub(channel).StreamComplete(pb.CompleteRequest())
    await stream.read()
    stream.cancel()
    async with asyncio.timeout(30):
        await slow.closed.wait()
    await until(lambda: activity.open == 0)
