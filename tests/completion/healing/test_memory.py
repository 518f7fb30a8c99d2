"""Rows that are remembered: asked for once, and no more of them than is allowed."""

import asyncio

import pytest
import torch

from completion.healing.memory import RowMemory


def _rows(asked):
    async def rows(contexts):
        asked.extend(contexts)
        return [torch.full((100,), float(len(ids))) for ids in contexts]

    return rows


async def test_a_row_is_asked_for_once_as_long_as_its_prompt_is_used():
    asked = []
    memory = RowMemory()
    for _ in range(3):
        behind = memory.of([1, 2, 3], _rows(asked))
        await behind.fetch([(), (4,)])
    assert asked == [(), (4,)]
    assert behind.knows([(), (4,)])
    assert not behind.knows([(5,)])


async def test_two_that_want_the_same_at_once_ask_once_and_both_have_it():
    asked, going = [], asyncio.Event()

    async def slow(contexts):
        asked.extend(contexts)
        await going.wait()
        return [torch.zeros(4) for _ in contexts]

    behind = RowMemory().of([1], slow)
    both = [asyncio.ensure_future(behind.fetch(ids)) for ids in ([(), (1,)], [(1,), (2,)])]
    await asyncio.sleep(0.01)
    going.set()
    await asyncio.gather(*both)
    assert sorted(asked) == [(), (1,), (2,)]
    assert behind.knows([(), (1,), (2,)])


@pytest.mark.parametrize("fails", [True, False])
async def test_what_another_asked_for_in_vain_is_asked_for_again(fails):
    asked, going = [], asyncio.Event()

    async def rows(contexts):
        asked.append(list(contexts))
        if len(asked) == 1:
            await going.wait()
            raise RuntimeError("the first one fails")
        return [torch.zeros(4) for _ in contexts]

    behind = RowMemory().of([1], rows)
    first = asyncio.ensure_future(behind.fetch([(1,)]))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(behind.fetch([(1,)]))
    await asyncio.sleep(0)
    if fails:
        going.set()
    else:
        first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await second
    assert behind.knows([(1,)])
    assert len(asked) == 2


async def test_prompts_share_nothing():
    asked = []
    memory = RowMemory()
    await memory.of([1, 2], _rows(asked)).fetch([()])
    await memory.of([1], _rows(asked)).fetch([(), (2,)])
    assert asked == [(), (), (2,)]


async def test_what_was_used_longest_ago_goes_first_and_the_cap_holds():
    memory, asked = RowMemory(most_prompts=100, most_bytes=2000), []
    for number in range(12):
        await memory.of([number], _rows(asked)).fetch([(), (1,)])
        memory.of([0], _rows(asked))  # used again and again
        assert memory.nbytes() <= 2000 + 2 * 400
    assert memory.of([0], _rows(asked)).knows([(), (1,)])
    assert not memory.of([3], _rows(asked)).knows([()])


async def test_there_are_no_more_prompts_than_allowed():
    memory, asked = RowMemory(most_prompts=3), []
    for number in range(9):
        await memory.of([number], _rows(asked)).fetch([()])
    assert not memory.of([5], _rows(asked)).knows([()])
    assert memory.of([8], _rows(asked)).knows([()])
