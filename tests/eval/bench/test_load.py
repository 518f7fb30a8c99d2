"""Many typing clients before a real `caret serve`: what is counted, and that a fault is seen."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from eval.bench.load import Process, jain, rows, rows_of
from eval.bench.typing_client import Manner, Outcome

pytestmark = pytest.mark.e2e

QUICK = Manner(key_s=0.01, burst=4, think_s=0.05)


async def load(*words: str, clients: int = 8) -> tuple[dict[str, float], dict]:
    said: list[str] = []
    found = await rows(["--engine", "fake", *words], clients, 0.08, said.append, QUICK)
    return {row.name.split(",")[0].split(":")[0]: row.ratio for row in found}, json.loads(said[-1])


async def test_clients_of_a_service_with_room_are_all_answered():
    named, figures = await load()
    assert named["errors"] == 0
    assert named["refused because the queue was full"] == 0
    assert named["requests the service holds 10 s after the last client"] == 0
    assert named["unfairness"] == named["answered share"] == 1
    assert figures["ends"]["answered"] > 50
    assert figures["clients"] == 8


async def test_a_full_queue_is_no_error_and_is_counted():
    named, figures = await load("--max-running", "1", "--max-queued", "0", "--fake-delay-ms", "20")
    assert named["errors"] == 0
    assert named["refused because the queue was full"] > 0.05
    assert figures["ends"]["RESOURCE_EXHAUSTED"] > 0


async def test_what_the_client_cancels_frees_the_engine():
    named, figures = await load("--fake-delay-ms", "200")
    assert figures["ends"]["cancelled"] > 0
    assert named["requests the service holds 10 s after the last client"] == 0


def holds(outcomes: list[Outcome], process: Process, left: int = 0) -> dict[str, bool]:
    found = rows_of(outcomes, process, left)
    return {row.name.split(",")[0].split(":")[0]: row.holds for row in found}


def test_each_fault_misses_its_own_bar_and_no_other():
    flat = Process(rss=[100] * 40, files=[50] * 40)
    fine = [Outcome(ends=Counter(answered=10), first_ms=[50.0] * 10) for _ in range(4)]
    assert all(holds(fine, flat).values())
    for name, outcomes, process, left in (
        ("errors", [*fine, Outcome(ends=Counter(answered=9, UNAVAILABLE=1))], flat, 0),
        ("memory of the service (RSS)", fine, Process(rss=[*range(100, 140)], files=[50] * 40), 0),
        ("file descriptors of the service", fine, Process(rss=[100] * 40, files=[*range(40, 80)]), 0),
        ("requests the service holds 10 s after the last client", fine, flat, 1),
        ("request to first line", [Outcome(ends=Counter(answered=9), first_ms=[5e3] * 9)], flat, 0),
    ):  # fmt: skip
        missed = [key for key, is_held in holds(outcomes, process, left).items() if not is_held]
        assert missed == [name], name
    starved = [*fine, Outcome(ends=Counter(answered=1, RESOURCE_EXHAUSTED=9))]
    assert not holds(starved, flat)["unfairness"]
    assert not holds(starved, flat)["answered share"]


def test_jains_index():
    assert jain([3, 3, 3]) == 1
    assert jain([1, 0, 0, 0]) == pytest.approx(1 / 4)
