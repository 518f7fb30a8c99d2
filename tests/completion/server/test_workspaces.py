"""``SyncWorkspace`` over a real socket, with a real store behind it."""

import asyncio
import threading
from dataclasses import replace

import grpc
import pytest

from completion.engine.fake import FakeEngine, fake_checkpoint
from completion.server import workspaces
from completion.server.workspaces import FORGOTTEN_AFTER_S, MOST_WORKSPACES
from completion.wire import completion_pb2 as pb
from completion.workspace.fit import Fit
from tests.completion.server.test_unhealed import unmapped_checkpoint

ONE, TWO = "1" * 32, "2" * 32


def change(path="", *, text=b"", version=0, identity=ONE, **more):
    return pb.WorkspaceChange(workspace_id=identity, path=path, text=text, version=version, **more)


async def sync(stub, *changes):
    call = stub.SyncWorkspace(iter(changes))
    return [state async for state in call]


async def test_every_change_is_acknowledged_in_order(serving):
    async with serving() as (_, stub):
        states = await sync(
            stub,
            change(),
            change("a.py", text=b"alpha", version=1),
            change("b.py", text=b"beta", version=2),
            change("a.py", version=3, base_version=1, edits=[pb.Edit(start=0, end=1, text=b"A")]),
            change("b.py", version=4, removed=True),
        )
    assert [s.acked_version for s in states] == [0, 1, 2, 3, 4]
    assert [s.need_resync for s in states] == [True, False, False, False, False], "a new workspace"
    assert states[-1].files == 1
    assert states[-1].tokens == 5
    assert states[-1].memory_bytes > 0
    assert len({s.server_epoch for s in states}) == 1


async def test_a_workspace_outlives_its_stream_and_not_its_server(serving):
    async with serving() as (_, stub):
        (first, _) = await sync(stub, change(), change("a.py", text=b"alpha", version=1))
        (again,) = await sync(stub, change())
        assert not again.need_resync
        assert again.server_epoch == first.server_epoch
        assert again.files == 1
    async with serving() as (_, stub):
        (other,) = await sync(stub, change())
        assert other.need_resync
        assert other.server_epoch != first.server_epoch


@pytest.mark.parametrize(
    "edit",
    [
        change("a.py", version=2, base_version=7, edits=[pb.Edit(text=b"x")]),
        change("a.py", version=2, base_version=1, edits=[pb.Edit(start=3, end=99)]),
        change("b.py", version=2, base_version=1, edits=[pb.Edit(text=b"x")]),
    ],
    ids=["of another version", "beyond the text", "of a file that never came"],
)
async def test_an_edit_that_does_not_fit_asks_for_whole_files(serving, edit):
    async with serving() as (_, stub):
        states = await sync(
            stub, change(), change("a.py", text=b"alpha", version=1), edit,
            change("a.py", text=b"whole", version=3),
        )  # fmt: skip
    assert [s.need_resync for s in states[1:]] == [False, True, False]
    assert states[-1].tokens == 5


async def test_a_client_can_wait_until_it_is_fitted(serving):
    text = b"def total(values):\n    return sum(values)\n" * 20
    async with serving() as (server, stub):
        files = [change(f"{n}.py", text=text, version=n + 1) for n in range(4)]
        states = await sync(stub, change(), *files)
        assert not states[-1].fitted
        before = server.service._workspaces._held[ONE].view("x.py")
        while not (await sync(stub, change()))[0].fitted:
            await asyncio.sleep(0.05)
        after = server.service._workspaces._held[ONE].view("x.py")
        assert after.name != before.name, "what was remembered under the other weights is not used"
        assert server.service._engine._workspaces._held[ONE].fit.cases != Fit().cases


async def test_removing_everything_leaves_nothing(serving):
    async with serving() as (server, stub):
        await sync(
            stub, change(), *(change(f"{n}.py", text=b"x" * 50, version=n) for n in range(1, 99))
        )
        states = await sync(
            stub, *(change(f"{n}.py", removed=True, version=n) for n in range(1, 99))
        )
        assert (states[-1].files, states[-1].tokens) == (0, 0)
        await sync(stub, change(close=True))
        assert not server.service._workspaces._held
        (state,) = await sync(stub, change())
        assert state.need_resync


async def test_a_file_that_is_too_large_is_refused_and_its_edits_are_no_trouble(serving):
    async with serving() as (_, stub):
        large = b"x = 1\n" * 40_000
        states = await sync(
            stub, change(), change("big.py", text=large, version=1),
            change("big.py", version=2, base_version=1, edits=[pb.Edit(text=b"y")]),
            change("big.py", text=b"small", version=3),
        )  # fmt: skip
    assert [s.refused_path for s in states] == ["", "big.py", "big.py", ""]
    assert states[1].refused_reason
    assert not any(s.need_resync for s in states[1:])
    assert states[-1].tokens == 5


async def test_what_has_no_room_goes_oldest_first(serving):
    engine = FakeEngine()
    async with serving(engine) as (_, stub):
        files = [change(f"{n}.py", text=b"x" * 100_000, version=n + 1) for n in range(12)]
        states = await sync(stub, change(), *files)
        assert states[-1].tokens <= 1 << 20
        assert states[-1].files == 10
        assert {s.refused_path for s in states if s.refused_path} == {"0.py", "1.py"}
        later = await sync(
            stub, change("0.py", version=20, base_version=1, edits=[pb.Edit(text=b"y")])
        )
        assert not later[0].need_resync, "or it would be sent and dropped for ever"
        assert later[0].refused_path == "0.py"


@pytest.mark.parametrize(
    "bad",
    [
        change("a.py", text=b"x", identity=""),
        change("a.py", text=b"x", identity="short"),
        change("a.py", text=b"x", identity="x" * 300),
        change("", text=b"x"),
        change("a" * 5000, text=b"x"),
    ],
)
async def test_what_no_client_may_send_is_refused_by_name(serving, bad):
    async with serving() as (_, stub):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await sync(stub, bad)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "workspace_id" in caught.value.details() or "path" in caught.value.details()


async def test_workspaces_nobody_uses_make_room(serving, monkeypatch):
    async with serving() as (server, stub):
        for n in range(MOST_WORKSPACES + 3):
            await sync(stub, change(identity=f"{n:032}"))
        held = server.service._workspaces._held
        assert len(held) == MOST_WORKSPACES
        assert f"{0:032}" not in held
        monkeypatch.setattr(workspaces, "FORGOTTEN_AFTER_S", -FORGOTTEN_AFTER_S)
        await sync(stub, change(identity=TWO))
        assert list(held) == [TWO]


async def test_workspaces_in_use_are_not_taken_away(serving):
    async with serving() as (_, stub):
        calls = []
        for n in range(MOST_WORKSPACES):
            call = stub.SyncWorkspace()
            await call.write(change(identity=f"{n:032}"))
            await call.read()
            calls.append(call)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await sync(stub, change(identity=TWO))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert str(MOST_WORKSPACES) in caught.value.details()
        for call in calls:
            await call.done_writing()
        assert (await sync(stub, change(identity=TWO)))[0].need_resync


async def test_thousands_of_empty_files_are_nothing(serving):
    async with serving() as (_, stub):
        files = (change(f"{n}.py", version=n + 1) for n in range(20_000))
        states = [state async for state in stub.SyncWorkspace(files)]
    assert len(states) == 20_000
    assert (states[-1].files, states[-1].tokens) == (0, 0)


async def test_views_are_named_by_the_other_files(serving):
    async with serving() as (server, stub):
        await sync(stub, change(), change("a.py", text=b"alpha", version=1))
        held = server.service._workspaces
        with held.seen_by(ONE, "b.py") as before:
            pass
        await sync(stub, change("b.py", text=b"beta", version=2))
        with held.seen_by(ONE, "b.py") as own, held.seen_by(ONE, "c.py") as other:
            assert own.name == before.name, "its own file is not part of what it sees"
            assert other.name != before.name
        await sync(stub, change("a.py", text=b"alpha 2", version=3))
        with held.seen_by(ONE, "b.py") as later:
            assert later.name != before.name
        with held.seen_by(TWO, "b.py") as unknown, held.seen_by("", "b.py") as none:
            assert unknown is None
            assert none is None
        assert not held._held[ONE].pins


class Slow(FakeEngine):
    """Holds each change up until it is let through."""

    def __init__(self):
        super().__init__()
        self.let_through = asyncio.Event()
        self.told = []

    async def workspaces(self, method, *words):
        self.told.append((method, words))
        if method == "change":
            await self.let_through.wait()
        return await super().workspaces(method, *words)


async def test_who_comes_while_a_change_is_under_way_means_what_comes_of_it(serving):
    """The engine core reads messages in order: the request's comes behind the change's."""
    engine = Slow()
    engine.let_through.set()
    async with serving(engine) as (server, stub):
        await sync(stub, change(), change("a.py", text=b"alpha", version=1))
        held = server.service._workspaces
        with held.seen_by(ONE, "b.py") as before:
            engine.let_through.clear()
            syncing = asyncio.create_task(sync(stub, change("a.py", text=b"beta", version=2)))
            while sum(method == "change" for method, _ in engine.told) < 2:
                await asyncio.sleep(0.01)
            assert engine.told[-1][1][1] == [[before.name, "b.py"]], "what runs keeps what it sees"
            with held.seen_by(ONE, "b.py") as meanwhile:
                assert meanwhile.name != before.name
            engine.let_through.set()
            await syncing
            with held.seen_by(ONE, "b.py") as after:
                assert after.name == meanwhile.name


async def test_a_removal_holds_whenever_the_stream_ends(serving, monkeypatch):
    """It may end while the texts are being encoded, which is in a thread of its own."""
    begun, go_on = threading.Event(), threading.Event()
    encoded = workspaces.Workspaces._encoded

    def slow(*args):
        begun.set()
        go_on.wait()
        return encoded(*args)

    async with serving() as (_, stub):
        await sync(stub, change(), change("a.py", text=b"alpha", version=1))
        with monkeypatch.context() as patched:
            patched.setattr(workspaces.Workspaces, "_encoded", slow)
            call = stub.SyncWorkspace()
            await call.write(change("a.py", version=2, removed=True))
            await asyncio.to_thread(begun.wait)
            call.cancel()
            await asyncio.gather(call.code(), return_exceptions=True)
            await asyncio.sleep(0.05)  # the handler is cancelled
            go_on.set()
        states = await sync(stub, change(), change("a.py", version=3, removed=True))
    assert states[-1].tokens == 0


async def test_a_client_that_goes_away_leaves_no_stream(serving):
    async with serving() as (server, stub):
        call = stub.SyncWorkspace()
        await call.write(change())
        await call.read()
        held = server.service._workspaces._held[ONE]
        assert held.streams == 1
        call.cancel()
        while held.streams:
            await asyncio.sleep(0.01)


async def test_a_model_that_cannot_be_mixed_says_so(serving):
    async with serving(checkpoint=unmapped_checkpoint()) as (_, stub):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await sync(stub, change())
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_nothing_is_held_where_it_is_switched_off(serving):
    async with serving() as (server, stub):
        off = replace(server.service._config.model, workspace_tokens=0)
        server.service._config = replace(server.service._config, model=off)
        server.service._workspaces = None
        server.service.ready(FakeEngine(), fake_checkpoint())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await sync(stub, change())
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "workspace_tokens" in caught.value.details()


class SlowPath(FakeEngine):
    """Takes its time over changes of one path."""

    def __init__(self):
        super().__init__()
        self.reached, self.goes_on = asyncio.Event(), asyncio.Event()

    async def workspaces(self, method, *words):
        if method == "change" and any(word[1] == "slow.py" for word in words[-1]):
            self.reached.set()
            await self.goes_on.wait()
        return await super().workspaces(method, *words)


async def test_what_one_stream_closes_while_another_sends_is_begun_anew(serving):
    engine = SlowPath()
    edit = change("b.py", version=2, base_version=1, edits=[pb.Edit(start=0, end=1, text=b"B")])
    async with serving(engine) as (server, stub):
        slow = asyncio.create_task(sync(stub, change("slow.py", text=b"x", version=1)))
        await engine.reached.wait()
        (held,) = server.service._workspaces._held.values()
        closing = asyncio.create_task(sync(stub, change(close=True)))
        while not held.lock._waiters:
            await asyncio.sleep(0.001)
        other = stub.SyncWorkspace()
        await other.write(change("b.py", text=b"beta", version=1))
        reading = asyncio.create_task(other.read())
        while len(held.lock._waiters) < 2 and not reading.done():
            await asyncio.sleep(0.001)
        engine.goes_on.set()
        await asyncio.gather(slow, closing, reading)
        await other.write(edit)
        assert (await other.read()).need_resync, "not an error, and not taken for done"
        await other.done_writing()
        again = await sync(stub, change("b.py", text=b"beta", version=3))
        assert again[-1].files == 1
