"""`RecordFeedback`: each event once, of known completions only, counts and nothing else."""

from __future__ import annotations

import grpc
import pytest
from prometheus_client import generate_latest

from completion.server import feedback
from completion.wire import completion_pb2 as pb

Event = pb.FeedbackEvent
SECRET = "hunter2"


def ask():
    return pb.CompleteRequest(document=pb.Document(path="a.py", prefix=b"import os\n\nname = os."))


def event(completion_id, number, kind=Event.SHOWN, **fields):
    return Event(completion_id=completion_id, event_id=f"e{number}", kind=kind, **fields)


def metric(server, name, **labels):
    return server.metrics.registry.get_sample_value(name, labels)


async def test_events_are_counted_once_however_often_they_come(serving):
    async with serving() as (server, stub):
        identity = (await stub.Complete(ask())).completion_id
        sent = [
            event(identity, 1, visible_ms=900, language_id="python", scope="code"),
            event(
                identity, 2, Event.ACCEPTED, accepted_bytes=4, language_id="python", scope="code"
            ),
            event(identity, 3, Event.KEPT, after_seconds=30, kept_share=0.5),
            event(identity, 4, Event.DISMISSED, reason="escape"),
            event(identity, 5, Event.PARTLY_ACCEPTED, accepted_bytes=2),
        ]
        first = await stub.RecordFeedback(iter([*sent, sent[0]]))
        again = await stub.RecordFeedback(iter(sent))
        assert (first.recorded, first.unknown) == (5, 0)
        assert (again.recorded, again.unknown) == (0, 0)
        where = {"language": "python", "scope": "code"}
        assert metric(server, "caret_feedback_total", kind="shown", **where) == 1
        assert metric(server, "caret_feedback_total", kind="accepted", **where) == 1
        assert metric(server, "caret_feedback_kept_share_sum", after="30") == 0.5
        assert metric(server, "caret_feedback_dismissed_total", reason="escape") == 1
        assert metric(server, "caret_feedback_visible_seconds_sum") == 0.9


async def test_a_streamed_completion_is_known_too_and_others_are_counted_as_unknown(serving):
    async with serving() as (server, stub):
        chunks = [chunk async for chunk in stub.StreamComplete(ask())]
        known, other = chunks[-1].completion_id, "f" * 32
        summary = await stub.RecordFeedback(iter([event(known, 1), event(other, 2)]))
        assert (summary.recorded, summary.unknown) == (1, 1)
        assert metric(server, "caret_feedback_unknown_total") == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"kind": Event.KIND_UNSPECIFIED}, "kind"),
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 65}, "event_id"),
        ({"completion_id": ""}, "completion_id"),
        ({"kind": Event.KEPT, "after_seconds": 31}, "after_seconds"),
        ({"kind": Event.KEPT, "after_seconds": 30, "kept_share": 1.5}, "kept_share"),
        ({"kind": Event.KEPT, "after_seconds": 30, "kept_share": float("nan")}, "kept_share"),
        ({"visible_ms": 86_400_001}, "visible_ms"),
    ],
)
async def test_a_wrong_field_is_named(serving, fields, named):
    async with serving() as (_, stub):
        base = {"completion_id": "c", "event_id": "e", "kind": Event.SHOWN}
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.RecordFeedback(iter([Event(**{**base, **fields})]))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert named in caught.value.details()


async def test_nothing_a_client_writes_becomes_a_label(serving):
    async with serving() as (server, stub):
        identity = (await stub.Complete(ask())).completion_id
        words = {"language_id": SECRET, "scope": SECRET, "reason": SECRET}
        await stub.RecordFeedback(iter([event(identity, 1, Event.DISMISSED, **words)]))
        shown = generate_latest(server.metrics.registry).decode()
        assert SECRET not in shown
        assert 'caret_feedback_total{kind="dismissed",language="other",scope="other"} 1.0' in shown


async def test_what_is_remembered_is_bounded(serving, monkeypatch):
    monkeypatch.setattr(feedback, "MOST_COMPLETIONS", 2)
    async with serving() as (_, stub):
        made = [(await stub.Complete(ask())).completion_id for _ in range(3)]
        summary = await stub.RecordFeedback(event(one, n) for n, one in enumerate(made))
        assert (summary.recorded, summary.unknown) == (2, 1)
