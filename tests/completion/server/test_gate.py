"""No chunk goes out while it is in doubt whether it will stay, and none is lost or taken back."""

import asyncio

import pytest

from completion.filters.stream import Chunk
from completion.server.gate import Gate

ONE, TWO = Chunk(text=b"one\n"), Chunk(text=b"two\n")


async def test_without_a_doubt_chunks_go_out_at_once():
    sent = []
    gate = Gate(sent.append, None)
    gate.put(None)
    gate.put(ONE)
    assert sent == [ONE]


async def test_chunks_wait_for_the_verdict_and_then_go_out_in_order():
    sent, doubt = [], asyncio.get_running_loop().create_future()
    gate = Gate(sent.append, doubt)
    gate.put(ONE)
    assert sent == []
    doubt.set_result(None)
    await asyncio.sleep(0)
    gate.put(TWO)
    assert sent == [ONE, TWO]


@pytest.mark.parametrize("end", ["replaced", "failed", "cancelled"])
async def test_what_is_overturned_never_goes_out(end):
    sent, doubt = [], asyncio.get_running_loop().create_future()
    gate = Gate(sent.append, doubt)
    gate.put(ONE)
    if end == "replaced":
        doubt.set_result("another")
    elif end == "failed":
        doubt.set_exception(RuntimeError("the engine"))
    else:
        doubt.cancel()
    await asyncio.sleep(0)
    gate.put(TWO)
    assert sent == []
    if end == "failed":
        assert doubt.exception()


async def test_opened_by_hand_it_lets_everything_through():
    sent, doubt = [], asyncio.get_running_loop().create_future()
    gate = Gate(sent.append, doubt)
    gate.put(ONE)
    gate.open()
    doubt.set_result(None)
    await asyncio.sleep(0)
    assert sent == [ONE]
