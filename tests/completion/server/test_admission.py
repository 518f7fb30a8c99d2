"""The bounded queue."""

import asyncio

import pytest

from completion.server.admission import Admission, QueueFull


async def hold(admission, entered, leave):
    async with admission.place():
        entered.append(asyncio.current_task().get_name())
        await leave.wait()


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_places_are_given_in_order_and_one_too_many_is_refused_at_once():
    admission, entered, leave = Admission(running=2, queued=2), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(admission, entered, leave), name=str(i)) for i in range(4)]
    await settle()
    assert (entered, admission.running, admission.waiting) == (["0", "1"], 2, 2)
    with pytest.raises(QueueFull):
        async with admission.place():
            pass
    leave.set()
    await asyncio.gather(*tasks)
    assert entered == ["0", "1", "2", "3"]
    assert (admission.running, admission.waiting) == (0, 0)


async def test_a_cancelled_one_leaves_the_queue_and_loses_no_place():
    admission, entered, leave = Admission(running=1, queued=3), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(admission, entered, leave), name=str(i)) for i in range(4)]
    await settle()
    tasks[1].cancel()
    await settle()
    assert admission.waiting == 2
    leave.set()
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert entered == ["0", "2", "3"]
    async with admission.place():
        assert admission.running == 1


async def test_cancelled_in_the_step_in_which_a_place_gets_free_it_leaves_quietly():
    admission, entered, leave = Admission(running=1, queued=3), [], asyncio.Event()
    first, second, third = (
        asyncio.create_task(hold(admission, entered, leave), name=name) for name in "123"
    )
    await settle()
    leave.set()  # the first goes before the second learns that it is cancelled
    second.cancel()
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await second
    assert entered == ["1", "3"]
    assert (admission.running, admission.waiting) == (0, 0)


async def test_cancelled_just_as_it_is_let_in_it_passes_its_place_on():
    admission, entered, leave = Admission(running=1, queued=3), [], asyncio.Event()
    first = asyncio.create_task(hold(admission, entered, asyncio.Event()), name="first")
    await settle()
    second = asyncio.create_task(hold(admission, entered, leave), name="second")
    third = asyncio.create_task(hold(admission, entered, leave), name="third")
    await settle()
    first.cancel()
    for _ in range(20):  # until the place is handed over, but the second has not run with it
        if admission._waiting and len(admission._waiting) == 1:
            break
        await asyncio.sleep(0)
    second.cancel()
    leave.set()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert "third" in entered
    assert (admission.running, admission.waiting) == (0, 0)
    async with admission.place():
        pass
