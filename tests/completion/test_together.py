"""Work at once: the first failure ends the rest."""

import asyncio

import pytest

from completion.errors import CaretError
from completion.together import together


async def give(value):
    await asyncio.sleep(0)
    return value


async def test_results_come_in_order():
    assert await together(give(i) for i in range(3)) == [0, 1, 2]


async def test_a_failure_is_raised_as_it_is_and_the_others_have_ended():
    ended = []

    async def wait(name):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def fail():
        await asyncio.sleep(0)
        raise CaretError("broken")

    with pytest.raises(CaretError, match="broken"):
        await together([wait("a"), fail(), wait("b")])
    assert sorted(ended) == ["a", "b"]
