"""Typing clients: the search for the highest rate in time, and where each goes on."""

from __future__ import annotations

import asyncio
import itertools
import math

import pytest

from eval.bench import typists
from eval.bench.places import Place
from eval.bench.typists import IN_TIME_MS, Refused, Typists, Window


class Modelled(Typists):
    """A server of 100 answers a second that is late above a share of it."""

    def __init__(self, share: float) -> None:
        super().__init__(None, [[]] * 10)  # type: ignore[arg-type] - nobody is asked
        self.share = share

    async def window(self, interval_s: float) -> Window:
        rate = min(100.0, 10 / interval_s if interval_s else math.inf)
        return Window(rate, 10.0, IN_TIME_MS + 1 if rate > 100 * self.share else 50.0)


@pytest.mark.parametrize(("share", "rate"), [(1.0, 100), (0.9, 85), (0.6, 50), (0.31, 30)])
async def test_the_highest_rate_in_time_is_found(share, rate):
    found = await Modelled(share).best()
    assert found.in_time
    assert found.rate == pytest.approx(rate)


async def test_a_server_that_is_always_late_has_no_rate():
    found = await Modelled(0.0).best()
    assert found.rate == 0
    assert not found.in_time


async def test_who_is_refused_was_not_answered_in_time(monkeypatch):
    monkeypatch.setattr(typists, "WINDOW_S", 0.1)
    asked = itertools.count()

    async def ask(place: Place) -> None:
        await asyncio.sleep(0.001)
        if next(asked) % 2:
            raise Refused

    place = Place("a.py", b"", b"", [])
    window = await Typists(ask, [[place]]).window(0.0)
    assert not window.in_time
    assert 0 < window.rate < next(asked) / 0.1


async def test_each_client_types_its_own_document_in_order(monkeypatch):
    monkeypatch.setattr(typists, "WINDOW_S", 0.05)
    documents = [
        [Place(f"{name}.py", bytes([key]), b"", []) for key in range(5)] for name in ("a", "b")
    ]
    asked: list[Place] = []

    async def ask(place: Place) -> None:
        asked.append(place)
        await asyncio.sleep(0.001)

    window = await Typists(ask, documents).window(0.0)
    assert window.rate > 0
    for document in documents:
        mine = [place for place in asked if place.path == document[0].path]
        assert mine
        assert mine == [document[at % 5] for at in range(len(mine))]
