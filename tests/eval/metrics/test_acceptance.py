"""CAR and CPR from feedback events: twice, late, without a beginning, out of range."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from completion.wire.completion_pb2 import FeedbackEvent
from eval.metrics.acceptance import (
    Kind,
    Share,
    rates,
    rates_by_language,
    rates_by_scope,
)

_COUNT = iter(range(10**6))


def _event(completion: str, kind: Kind, **fields) -> FeedbackEvent:
    fields.setdefault("event_id", f"e{next(_COUNT)}")
    return FeedbackEvent(completion_id=completion, kind=int(kind), **fields)


def shown(completion: str, ms: int = 1000, **fields) -> FeedbackEvent:
    return _event(completion, Kind.SHOWN, visible_ms=ms, **fields)


def accepted(completion: str, size: int = 10, **fields) -> FeedbackEvent:
    return _event(completion, Kind.ACCEPTED, accepted_bytes=size, **fields)


def kept(completion: str, seconds: int, share: float, **fields) -> FeedbackEvent:
    return _event(completion, Kind.KEPT, after_seconds=seconds, kept_share=share, **fields)


def test_the_kinds_are_the_contracts():
    contract = {name.removeprefix("KIND_"): number for name, number in FeedbackEvent.Kind.items()}
    assert contract == {kind.name: kind.value for kind in Kind}


def test_acceptance_is_accepted_of_shown():
    found = rates([shown("a"), accepted("a"), shown("b"), shown("c"), shown("d")])
    assert found.acceptance == Share(part=1, whole=4, n=4)
    assert found.acceptance.value == 0.25


def test_749_milliseconds_are_not_shown_and_750_are():
    found = rates([shown("a", 749), accepted("a"), shown("b", 750), accepted("b")])
    assert found.acceptance == Share(part=1, whole=1, n=1)
    assert found.accepted_unshown == 1


def test_how_long_it_was_visible_may_be_known_only_when_it_goes():
    gone = _event("a", Kind.DISMISSED, visible_ms=2000, reason="escape")
    assert rates([shown("a", 0), gone]).acceptance == Share(part=0, whole=1, n=1)
    assert rates([gone]).acceptance.whole == 0  # nothing says that it was shown


def test_the_same_event_counts_once():
    once = [shown("a"), accepted("a"), kept("a", 30, 0.5, event_id="k")]
    again = kept("a", 30, 0.1, event_id="k")
    assert rates([*once, *once, again]) == rates(once)


def test_a_completion_shown_twice_is_one_completion():
    assert rates([shown("a"), shown("a", candidate=1), accepted("a")]).acceptance.n == 1


def test_accepted_without_shown_never_makes_a_rate_over_1():
    found = rates([accepted("a"), accepted("b"), shown("c"), accepted("c")])
    assert found.acceptance.value == 1
    assert found.accepted_unshown == 2


def test_in_part_is_accepted_but_not_whole():
    part = _event("a", Kind.PARTLY_ACCEPTED, accepted_bytes=3)
    found = rates([shown("a"), part, shown("b"), accepted("b")])
    assert found.acceptance.part == 2
    assert found.accepted_whole == 1


def test_persistence_weighs_by_bytes():
    events = [accepted("a", 90), kept("a", 30, 1.0), accepted("b", 10), kept("b", 30, 0.0)]
    assert rates(events).persistence[30] == Share(part=90, whole=100, n=2)


def test_persistence_is_of_those_that_were_looked_at_then():
    events = [
        accepted("a"),
        kept("a", 30, 1.0),
        kept("a", 90, 0.5),
        accepted("b"),
        kept("b", 30, 0),
    ]
    found = rates(events).persistence
    assert list(found) == [30, 90, 180, 360]
    assert [share.n for share in found.values()] == [2, 1, 0, 0]
    assert found[90].value == 0.5
    assert found[180].value is None


def test_bytes_accepted_word_by_word_are_how_far_it_got():
    steps = [_event("a", Kind.PARTLY_ACCEPTED, accepted_bytes=size) for size in (4, 12, 8)]
    assert rates([*steps, kept("a", 30, 1.0)]).persistence[30].whole == 12


@pytest.mark.parametrize(
    "strange",
    [
        kept("a", 30, 1.5, event_id="x"),
        kept("a", 30, -0.1, event_id="x"),
        kept("a", 30, float("nan"), event_id="x"),
        kept("a", 31, 0.5, event_id="x"),
        kept("b", 30, 0.5, event_id="x"),  # nobody is known to have accepted it
        _event("a", Kind.UNSPECIFIED, event_id="x"),
        _event("", Kind.SHOWN, visible_ms=9000, event_id="x"),
    ],
)
def test_nonsense_changes_nothing(strange):
    events = [shown("a"), accepted("a"), kept("a", 90, 1.0)]
    assert rates([*events, strange]) == rates(events)


def test_of_contradicting_reports_the_lowest_counts():
    events = [accepted("a", 10), kept("a", 30, 0.9), kept("a", 30, 0.4)]
    assert rates(events).persistence[30].part == pytest.approx(4)


def test_any_order_gives_the_same_rates():
    events = [
        event
        for name in "abcd"
        for event in (
            shown(name, 700 + 50 * ord(name) % 200, language_id="python"),
            accepted(name, ord(name)),
            kept(name, 30, 0.5),
            kept(name, 30, 0.25),
        )
    ]
    straight = rates(events), rates_by_language(events)
    for seed in range(10):
        random.Random(seed).shuffle(events)
        assert (rates(events), rates_by_language(events)) == straight


def test_groups_take_all_events_of_a_completion_even_those_without_the_name():
    events = [
        kept("a", 30, 1.0),
        accepted("a"),
        shown("a", language_id="python", scope="code"),
        shown("b", language_id="python", scope="comment"),
        shown("c"),
    ]
    by_language = rates_by_language(events)
    assert list(by_language) == ["", "python"]
    assert by_language["python"].acceptance == Share(part=1, whole=2, n=2)
    assert by_language["python"].persistence[30].value == 1
    by_scope = rates_by_scope(events)
    assert {name: found.acceptance.n for name, found in by_scope.items()} == {
        "": 1, "code": 1, "comment": 1,
    }  # fmt: skip


def test_no_events_have_no_rate():
    found = rates([])
    assert found.acceptance.value is None
    assert rates_by_language([]) == {}


def test_a_machine_with_no_more_than_the_base_packages_can_make_the_report():
    heavy = "numpy scipy rapidfuzz torch nltk"
    code = f"import eval.metrics.acceptance, sys; sys.exit(any(m in sys.modules for m in {heavy.split()}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
