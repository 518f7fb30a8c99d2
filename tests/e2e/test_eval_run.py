"""The harness on the bundled model: over gRPC, in process, and with the server killed half-way."""

import os
import signal

import pytest

from completion.config import Config
from eval.engines.in_process import InProcess
from eval.engines.server import Server
from eval.errors import EngineGone
from eval.item import Ask
from eval.running.progress import RunProgress
from eval.running.runner import Options, Run
from tests.eval.running.test_run import timeless
from tests.eval.tiny import ITEMS, Tiny

pytestmark = [pytest.mark.engine, pytest.mark.e2e, pytest.mark.timeout(900)]


async def run(engine, **options):
    work = Run(Tiny(), engine, Options(**options), RunProgress(quiet=True))
    try:
        return await work.result()
    finally:
        work.close()


def figures(result):
    """A result without what a clock or a cache decides."""
    table = timeless(result)
    del table["latency"]
    for record in table["items"]:
        del record["timings"]
    return table


async def test_every_item_is_asked_and_timed(service):
    result = await run(Server(Config(), (), str(service.address)), limit=4)
    assert result.model["checksum"].startswith("sha256:")
    assert result.model["engine"].startswith("vllm ")
    assert all(record.raw is not None for record in result.items)
    assert all(record.cut is not None or record.declined for record in result.items)
    assert result.latency["total_ms"]["n"] == 4
    for record in result.items:
        times = record.timings
        assert 0 < times["first_token_ms"] <= times["total_ms"] <= times["round_trip_ms"]
        assert times["recomputed_tokens"] == times["prompt_tokens"] - times["cached_tokens"]


async def test_candidates_are_ranked(service):
    async with Server(Config(), (), str(service.address)) as engine:
        await engine.start()
        answer = await engine.answer(ITEMS[0], Ask(candidates=10, max_tokens=4))
    assert len(answer.ranked) > 3
    assert answer.ranked[0] == answer.raw


class Killed(Server):
    """A server of its own that is killed in the middle of an item."""

    left = 3

    async def answer(self, item, ask):
        self.left -= 1
        if self.left < 0:
            assert self._own is not None
            os.kill(self._own.pid, signal.SIGKILL)
        return await super().answer(item, ask)


async def test_killed_half_way_and_called_again_it_ends_with_the_same_figures(tmp_path):
    whole = await run(Server(Config()), output=tmp_path / "whole.json")
    with pytest.raises(EngineGone, match=r"signal 9; 3 of 8 items are safe; the same command"):
        await run(Killed(Config()), output=tmp_path / "cut.json")
    resumed = await run(Server(Config()), output=tmp_path / "cut.json")
    assert figures(resumed) == figures(whole)


async def test_in_process_it_says_what_the_service_says(service):
    over_grpc = await run(Server(Config(), (), str(service.address)), limit=4)
    here = await run(InProcess(Config()), limit=4)
    assert here.model == over_grpc.model
    assert [(r.raw, r.cut) for r in here.items] == [(r.raw, r.cut) for r in over_grpc.items]
    assert here.metrics == over_grpc.metrics
