"""Rows that are remembered: asked for once, and no more of them than is allowed."""

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
