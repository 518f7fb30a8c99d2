"""A real `caret serve` process with the fake engine behind it: asked, overloaded, killed, back."""

import asyncio
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc.aio
import pytest

from completion.config import Config
from completion.errors import CaretError
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.address import parse_address
from completion.wire.channel import open_channel, wait_until_serving
from eval.engines.server import Server
from eval.errors import EngineGone
from eval.item import Ask
from eval.running.progress import RunProgress
from eval.running.runner import Options, Run, _partial
from tests.eval.running.test_run import timeless
from tests.eval.tiny import ITEMS, Tiny

WORDS = ("--engine", "fake")


@pytest.fixture
def address(tmp_path):
    return f"unix:{tmp_path}/s.sock"


@asynccontextmanager
async def serving(address, *words):
    """A process that serves at ``address``; killed at the end if it is still there."""
    command = [sys.executable, "-m", "completion.cli", "serve", "--listen", address, *WORDS, *words]
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    channel = open_channel(parse_address(address))
    try:
        await wait_until_serving(channel, timeout_s=60)
        yield process
    finally:
        await channel.close()
        if process.returncode is None:
            process.kill()
        await process.wait()


def server(address="", words=WORDS, **options):
    return Server(Config(), words, address, **options)


async def test_an_item_is_answered_as_an_editor_would_see_it_and_raw(address):
    async with serving(address), server(address) as engine:
        who = await engine.start()
        answer = await engine.answer(ITEMS[0], Ask(max_tokens=40))
    assert (who.name, who.engine, who.device) == ("fake", "fake 1", "cpu")
    assert who.healing
    assert answer.raw == b"value = compute(value)\n"
    assert answer.cut == b"value = compute(value)"
    assert (answer.raw_end, answer.cut_end) == ("model", "model")
    assert answer.timings.round_trip_ms > answer.timings.total_ms > 0
    assert answer.timings.prompt_tokens > 10
    assert answer.ranked == ()


async def test_several_candidates_are_ranked_by_their_raw_text(address):
    async with serving(address), server(address) as engine:
        await engine.start()
        answer = await engine.answer(ITEMS[0], Ask(candidates=10, max_tokens=3))
    assert len(answer.ranked) == len(set(answer.ranked)) > 1
    assert answer.ranked[0] == answer.raw


async def test_one_is_started_for_the_run_and_ends_with_it():
    said = []
    engine = server(on_stage=said.append)
    async with engine:
        await engine.start()
        assert said[-1] == "serving"
        assert engine.address.startswith("unix:")
        pid = engine._own.pid
        assert (await engine.answer(ITEMS[0], Ask())).raw
    assert engine.address == ""
    with pytest.raises(ProcessLookupError):
        import os

        os.kill(pid, 0)


async def test_nobody_there_is_said_before_anything_is_asked(tmp_path):
    async with server(f"unix:{tmp_path}/none") as engine:
        with pytest.raises(CaretError, match=r"no completion server answers .* `caret serve`"):
            await engine.start()


async def test_a_full_queue_is_waited_for(address):
    words = ("--max-running", "1", "--max-queued", "0", "--fake-delay-ms", "2")
    async with serving(address, *words), server(address) as engine:
        await engine.start()
        asked = [engine.answer(one, Ask(max_tokens=8)) for one in ITEMS * 2]
        answers = await asyncio.gather(*asked)
        channel = open_channel(parse_address(address))
        with pytest.raises(grpc.aio.AioRpcError):  # the server does refuse
            await asyncio.gather(
                *(rpc.CompletionServiceStub(channel).Complete(pb.CompleteRequest()) for _ in ITEMS)
            )
        await channel.close()
    assert all(answer.raw for answer in answers)


async def test_an_item_too_large_is_named_and_not_tried_for_ever(address):
    async with serving(address, "--max-message-bytes", str(1 << 16)), server(address) as engine:
        await engine.start()
        long = replace(ITEMS[0], prefix=b"a" * (1 << 17))
        with pytest.raises(CaretError, match=r"item tiny/0: the server refused: .*larger"):
            await engine.answer(long, Ask())


async def test_a_request_that_breaks_the_contract_names_the_item(address):
    async with serving(address), server(address) as engine:
        await engine.start()
        with pytest.raises(CaretError, match=r"item tiny/1: .*options.max_tokens must be at most"):
            await engine.answer(ITEMS[1], Ask(max_tokens=100_000))


async def test_a_server_that_is_gone_for_good_ends_the_run(address):
    async with serving(address) as process, server(address, patience_s=0.5) as engine:
        await engine.start()
        process.kill()
        await process.wait()
        with pytest.raises(EngineGone, match="has gone away"):
            await engine.answer(ITEMS[0], Ask())


async def test_its_own_server_that_dies_says_why_at_once():
    async with server(patience_s=60) as engine:
        await engine.start()
        import os

        os.kill(engine._own.pid, signal.SIGKILL)
        with pytest.raises(EngineGone, match="signal 9"):
            await engine.answer(ITEMS[0], Ask())


async def test_one_that_comes_back_in_time_is_gone_on_with(address):
    async with serving(address) as process, server(address, patience_s=60) as engine:
        await engine.start()
        before = await engine.answer(ITEMS[0], Ask())
        process.kill()
        await process.wait()
        asking = asyncio.create_task(engine.answer(ITEMS[0], Ask()))
        async with serving(address):
            after = await asking
    assert (after.raw, after.cut) == (before.raw, before.cut)


async def test_another_model_at_the_address_is_not_taken_for_the_same(address):
    async with serving(address) as process, server(address, patience_s=60) as engine:
        who = await engine.start()
        engine._identity = replace(who, checksum="sha256:other")
        process.kill()
        await process.wait()
        asking = asyncio.create_task(engine.answer(ITEMS[0], Ask()))
        async with serving(address):
            with pytest.raises(EngineGone, match="another model"):
                await asking


@pytest.mark.parametrize("workers", [1, 4])
async def test_killed_half_way_and_started_again_the_figures_are_the_same(
    address, tmp_path, workers
):
    suite = Tiny()

    async def run(name):
        engine = server(address, patience_s=0.3)
        options = Options(output=tmp_path / name, workers=workers)
        work = Run(suite, engine, options, RunProgress(quiet=True))
        try:
            return await work.result()
        finally:
            work.close()

    async with serving(address, "--fake-delay-ms", "3") as process:
        whole = await run("whole.json")
        running = asyncio.create_task(run("cut.json"))
        journal = _partial(tmp_path / "cut.json")
        while not journal.exists() or journal.read_text().count('"item"') < 3:
            await asyncio.sleep(0.002)
        process.kill()
        with pytest.raises(EngineGone, match="of 8 items are safe; the same command goes on"):
            await running
    kept = journal.read_text().count('"item"')
    assert 3 <= kept < 8
    async with serving(address):
        resumed = await run("cut.json")
    ours, theirs = timeless(resumed), timeless(whole)
    for table in (ours, theirs):
        del table["latency"]
        for record in table["items"]:
            del record["timings"]
    assert ours == theirs
