"""What one caller may have of a server."""

from contextlib import ExitStack

import pytest

from completion.server.caller import LOCAL, Caller
from completion.server.quota import MOST_STREAMS, OverLimit, Quota

ALICE, BOB = Caller("token", "alice"), Caller("token", "bob")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def spend(quota, caller, calls=1):
    """Return how many of ``calls``, one after the other, are let through."""
    done = 0
    for _ in range(calls):
        try:
            with quota.call(caller, is_stream=False):
                done += 1
        except OverLimit:
            break
    return done


def test_calls_at_once_are_counted_for_each_caller_until_they_end():
    quota = Quota(running=2, per_second=0)
    with ExitStack() as open_calls:
        for _ in range(2):
            open_calls.enter_context(quota.call(ALICE, is_stream=False))
        with pytest.raises(OverLimit, match="max_running_per_caller is 2"):
            open_calls.enter_context(quota.call(ALICE, is_stream=False))
        assert spend(quota, BOB) == 1
        assert spend(quota, Caller("certificate", "alice")) == 1, "another one of that name"
    assert spend(quota, ALICE) == 1


def test_calls_in_a_second_are_a_second_s_worth_at_once_and_come_back_with_time(clock):
    quota = Quota(running=0, per_second=4, clock=clock)
    assert spend(quota, ALICE, 10) == 4
    assert spend(quota, BOB, 10) == 4
    clock.now += 0.5
    assert spend(quota, ALICE, 10) == 2
    clock.now += 3600
    assert spend(quota, ALICE, 10) == 4


def test_less_than_one_call_a_second_still_lets_one_through(clock):
    quota = Quota(running=0, per_second=0.5, clock=clock)
    assert spend(quota, ALICE, 3) == 1
    clock.now += 2
    assert spend(quota, ALICE, 3) == 1


def test_streams_do_not_take_the_place_of_requests_and_have_a_limit_of_their_own():
    quota = Quota(running=1, per_second=0)
    with ExitStack() as streams:
        for _ in range(MOST_STREAMS):
            streams.enter_context(quota.call(ALICE, is_stream=True))
        assert spend(quota, ALICE) == 1
        with pytest.raises(OverLimit, match=f"{MOST_STREAMS} streams"):
            streams.enter_context(quota.call(ALICE, is_stream=True))


def test_whom_nothing_names_has_no_limit_of_its_own(clock):
    quota = Quota(running=1, per_second=1, clock=clock)
    with quota.call(LOCAL, is_stream=False):
        assert spend(quota, LOCAL, 50) == 50


def test_what_is_remembered_does_not_grow_with_the_callers_that_were(clock):
    quota = Quota(running=1, per_second=1, clock=clock)
    with quota.call(ALICE, is_stream=True):
        for number in range(5000):
            clock.now += 0.1
            assert spend(quota, Caller("certificate", str(number))) == 1
        assert len(quota._uses) < 1000
        assert quota._uses[ALICE].streams == 1
