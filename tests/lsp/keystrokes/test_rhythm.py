"""How long a request waits, from how quickly someone types and how quickly the model answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp.keystrokes.rhythm import Rhythm


def rhythm(key: float, latency: float, *, agreement: float | None = None) -> Rhythm:
    one = Rhythm()
    now = 0.0
    for _ in range(100):
        now += key
        one.typed(now)
        one.latency.add(latency)
        if agreement is not None:
            one.agreement.add(agreement)
    return one


def test_nothing_waits_while_answers_come_before_the_next_key():
    assert rhythm(0.2, 0.05).wait() == 0.0


def test_a_wait_is_shorter_than_the_time_between_two_keys():
    for key in (0.03, 0.06, 0.1, 0.2, 0.5):
        for latency in (0.01, 0.1, 0.5, 3.0):
            assert rhythm(key, latency).wait() <= 0.5 * key + 1e-6


def test_the_slower_the_model_the_longer_the_wait():
    waits = [rhythm(0.1, latency).wait() for latency in (0.04, 0.08, 0.12, 1.0)]
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


def test_pauses_and_macros_are_no_rhythm():
    one = rhythm(0.1, 0.1)
    before = one.key.value
    one.typed(100.0)
    one.typed(100.001)
    assert one.key.value == before


@given(st.lists(st.floats(-1e9, 1e9, allow_nan=False), max_size=40))
def test_no_clock_makes_a_wait_that_is_none(times):
    one = Rhythm()
    for now in times:
        one.typed(now)
    assert 0.0 <= one.wait() <= one.waits.longest
    assert one.waits.idle <= one.idle() <= 1.0


def test_what_mostly_agrees_is_waited_for_and_what_never_does_is_asked_anew():
    agrees, never = rhythm(0.06, 0.5, agreement=1.0), rhythm(0.06, 0.5, agreement=0.0)
    assert agrees.is_worth_waiting(0.06)
    assert not never.is_worth_waiting(0.06)
    assert never.is_worth_waiting(0.51)
