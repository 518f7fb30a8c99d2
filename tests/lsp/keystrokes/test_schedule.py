"""The schedule, case by case: what is sent, what is cancelled, and what answers each request."""

from __future__ import annotations

import pytest

from lsp.keystrokes.actions import Policy, Source
from tests.lsp.keystrokes.model import Desk, place, question


def typing(desk: Desk, before: bytes, after: bytes = b"") -> int:
    """Press a key, which leads to the document given, and ask behind it."""
    desk.now += 0.06
    desk.edit(place(before, after))
    return desk.ask(question(before, after))


def slow(desk: Desk, latency: float = 1.0) -> Desk:
    for _ in range(50):
        desk.rhythm.latency.add(latency)
        desk.rhythm.key.add(0.06)
    return desk


def quick(desk: Desk) -> Desk:
    return slow(desk, 0.01)


def test_a_first_request_is_sent_at_once_and_answered_by_the_model():
    desk = quick(Desk())
    ticket = desk.ask(question(b"x = "))
    desk.say(desk.flight, b"compute(1)")
    assert (desk.shown(ticket), desk.source(ticket)) == (b"compute(1)", Source.MODEL)


def test_what_is_shown_is_typed_through_without_the_model():
    desk = quick(Desk())
    desk.ask(question(b"x = "))
    desk.say(desk.flight, b"compute(1)")
    for end in range(1, len(b"compute(1)")):
        ticket = typing(desk, b"x = " + b"compute(1)"[:end])
        assert desk.shown(ticket) == b"compute(1)"[end:]
        assert desk.source(ticket) is Source.CACHE
    assert len(desk.started) == 1


def test_the_first_final_line_goes_out_and_the_later_ones_are_there_when_it_is_accepted():
    desk = quick(Desk())
    ticket = desk.ask(question(b"if x:"))
    desk.say(desk.flight, b"\n", done=False)
    assert desk.shown(ticket) is None
    desk.say(desk.flight, b"\n    first()\n", done=False)
    assert desk.shown(ticket) == b"\n    first()"
    desk.say(desk.flight, b"\n    first()\n    second()", done=True)
    accepted = typing(desk, b"if x:\n    first()")
    assert desk.shown(accepted) == b"\n    second()"
    assert len(desk.started) == 1


def test_who_asks_gets_every_line_and_never_waits():
    desk = slow(Desk())
    ticket = desk.ask(question(b"if x:", invoked=True))
    desk.say(desk.flight, b"\n    first()\n", done=False)
    assert desk.shown(ticket) is None
    desk.say(desk.flight, b"\n    first()\n    second()")
    assert desk.shown(ticket) == b"\n    first()\n    second()"


def test_what_is_typed_while_lines_stream_is_served_by_the_stream():
    desk = quick(Desk())
    desk.ask(question(b"if x:"))
    desk.say(desk.flight, b"\n    first()\n", done=False)
    ticket = typing(desk, b"if x:\n    first()\n   ")
    assert desk.shown(ticket) is None
    desk.say(desk.flight, b"\n    first()\n    second()\n    third()", done=False)
    assert desk.shown(ticket) == b" second()\n    third()"
    assert (len(desk.started), desk.cancelled) == (1, [])


def test_a_question_under_way_serves_what_is_typed_if_it_turns_out_to_agree():
    desk = quick(Desk())
    first = desk.ask(question(b"x = "))
    desk.now += 0.06
    desk.edit(place(b"x = c"))
    assert desk.source(first) is Source.NONE
    second = desk.ask(question(b"x = c"))
    desk.say(desk.flight, b"compute(1)")
    assert (desk.shown(second), desk.source(second)) == (b"ompute(1)", Source.RECYCLED)
    assert (len(desk.started), desk.cancelled) == (1, [])


def test_one_that_turns_out_to_disagree_is_asked_anew_at_once():
    desk = quick(Desk())
    desk.ask(question(b"x = "))
    ticket = typing(desk, b"x = k")
    desk.say(desk.flight, b"compute(1)\n", done=False)
    assert desk.cancelled == [1]
    assert desk.shown(ticket) is None
    desk.say(desk.flight, b"ey")
    assert (desk.shown(ticket), desk.source(ticket)) == (b"ey", Source.MODEL)


def test_one_that_is_young_and_slow_is_not_waited_for():
    desk = slow(Desk())
    desk.ask(question(b"x = "))
    desk.wait(desk.rhythm.waits.longest)
    first = desk.flight
    typing(desk, b"x = c")
    assert desk.cancelled == [first]


def test_the_same_request_once_more_waits_with_the_first():
    desk = quick(Desk())
    first, second = desk.ask(question(b"x = ")), desk.ask(question(b"x = "))
    assert len(desk.started) == 1
    desk.say(desk.flight, b"1")
    assert desk.shown(first) == desk.shown(second) == b"1"


def test_an_edit_elsewhere_ends_what_is_under_way_and_answers_it():
    desk = quick(Desk())
    ticket = desk.ask(question(b"x = "))
    desk.edit(place(b"yx = "))
    assert desk.source(ticket) is Source.NONE
    assert desk.cancelled == [1]


def test_documents_do_not_disturb_each_other():
    desk = quick(Desk())
    one, other = desk.ask(question(b"x = ")), desk.ask(question(b"x = ", name="b.py"))
    assert len(desk.running) == 2
    desk.say(1, b"1")
    desk.say(2, b"2")
    assert (desk.shown(one), desk.shown(other)) == (b"1", b"2")


def test_while_keys_come_quickly_only_the_last_is_sent():
    desk = slow(Desk())
    tickets = []
    for end in range(1, 4):
        desk.now += 0.01
        desk.edit(place(b"abcdef"[:end]))
        tickets.append(desk.ask(question(b"abcdef"[:end])))
    assert desk.started == []
    desk.wait(desk.rhythm.waits.longest)
    (start,) = desk.started
    assert start.thought.question == question(b"abc")
    assert [desk.source(ticket) for ticket in tickets[:2]] == [Source.NONE] * 2
    desk.say(desk.flight, b"d")
    assert desk.shown(tickets[2]) == b"d"


def test_a_request_is_promoted_when_typing_never_pauses():
    desk = slow(Desk())
    begun = desk.now
    text = b""
    while not desk.started:
        desk.wait(0.01)
        text += b"a"
        desk.edit(place(text))
        desk.ask(question(text))
        assert desk.now - begun <= 2 * desk.rhythm.waits.promoted
    assert desk.now - begun >= desk.rhythm.waits.promoted - 0.02


def test_a_cancelled_request_ends_the_question_after_a_grace_unless_it_is_wanted_again():
    desk = quick(Desk())
    desk.cancel(desk.ask(question(b"x = ")))
    desk.wait(desk.rhythm.waits.grace)
    assert desk.cancelled == [1]
    ticket = desk.ask(question(b"y = "))
    desk.cancel(ticket)
    second = desk.ask(question(b"y = "))
    desk.wait(1.0)
    desk.say(desk.flight, b"2")
    assert desk.shown(second) == b"2"


def test_the_completion_behind_what_is_shown_is_there_when_it_is_accepted():
    desk = quick(Desk())
    desk.ask(question(b"x = ", b"\n"))
    desk.say(desk.flight, b"1")
    desk.wait(1.0)
    ahead = desk.started[-1].thought
    assert ahead.question == question(b"x = 1", b"\n")
    desk.say(desk.flight, b"\ny = 2")
    assert desk.shown(typing(desk, b"x = 1", b"\n")) == b"\ny = 2"
    assert len(desk.started) == 2
    desk.wait(10.0)
    assert len(desk.started) == 3, "and one step further, now that this is shown"


def test_nothing_is_thought_of_while_someone_types_and_a_key_ends_it():
    desk = quick(Desk())
    desk.ask(question(b"x = "))
    desk.say(desk.flight, b"compute(1)")
    for end in range(1, 5):
        typing(desk, b"x = " + b"compute(1)"[:end])
    assert len(desk.started) == 1
    desk.wait(1.0)
    thinking = desk.flight
    typing(desk, b"x = compu")
    assert desk.cancelled == [thinking]


def test_a_thought_under_way_serves_who_accepts_meanwhile():
    desk = quick(Desk())
    desk.ask(question(b"x = "))
    desk.say(desk.flight, b"1")
    desk.wait(1.0)
    ticket = typing(desk, b"x = 1")
    assert desk.cancelled == []
    desk.say(desk.flight, b" + 1")
    assert (desk.shown(ticket), desk.source(ticket)) == (b" + 1", Source.RECYCLED)


def test_a_request_elsewhere_ends_a_thought():
    desk = quick(Desk())
    desk.ask(question(b"x = "))
    desk.say(desk.flight, b"1")
    desk.wait(1.0)
    thinking = desk.flight
    desk.ask(question(b"y = ", name="b.py"))
    assert desk.cancelled == [thinking]


def test_where_a_cursor_is_put_is_thought_of_once_it_has_settled():
    desk = quick(Desk())
    desk.do(desk.schedule.placed(question(b"x = "), desk.now))
    desk.wait(0.1)
    desk.do(desk.schedule.placed(question(b"y = "), desk.now))
    desk.wait(1.0)
    (start,) = desk.started
    assert start.thought.question == question(b"y = ")
    desk.say(desk.flight, b"1")
    assert desk.source(desk.ask(question(b"y = "))) is Source.CACHE


@pytest.mark.parametrize("reuse", [True, False])
def test_a_failing_service_is_nothing_and_is_not_remembered(reuse):
    desk = quick(Desk(policy=Policy(reuse=reuse)))
    ticket = desk.ask(question(b"x = "))
    desk.fail(desk.flight)
    assert (desk.shown(ticket), desk.source(ticket)) == (b"", Source.NONE)
    desk.ask(question(b"x = "))
    assert len(desk.started) == 2


def test_without_reuse_every_key_asks_the_model():
    desk = quick(Desk(policy=Policy(reuse=False, speculate=False)))
    desk.ask(question(b"x = "))
    desk.say(desk.flight, b"compute(1)")
    ticket = typing(desk, b"x = c")
    assert desk.shown(ticket) is None
    typing(desk, b"x = co")
    assert desk.cancelled == [2]
    desk.wait(10.0)
    assert len(desk.started) == 3


def test_closing_answers_and_forgets():
    desk = quick(Desk())
    desk.ask(question(b"x = "))
    desk.say(desk.flight, b"compute(1)")
    ticket = desk.ask(question(b"y = "))
    desk.do(desk.schedule.closed("a.py"))
    assert desk.source(ticket) is Source.NONE
    assert (desk.cancelled, len(desk.cache)) == ([2], 0)
    desk.wait(10.0)
    assert len(desk.started) == 2
