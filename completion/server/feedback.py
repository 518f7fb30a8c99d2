"""What clients tell of completions, counted: nothing is kept but counts.

An event counts once, however often it is sent, and only for a completion that this server has made:
both are remembered for a while, not for ever.
"""

from __future__ import annotations

import math
from collections import OrderedDict

from completion.server.job import InvalidField
from completion.server.metrics import Metrics
from completion.syntax.languages import LANGUAGES
from completion.wire import completion_pb2 as pb

MOST_COMPLETIONS = 100_000
"""Ids of completions that are remembered, about 10 MB."""
MOST_EVENTS = 100_000
HORIZONS_S = (30, 90, 180, 360)
LONGEST_ID = 64
MOST_VISIBLE_MS = 86_400_000

_LANGUAGES = frozenset(name for language in LANGUAGES for name in (language.name, *language.ids))
_SCOPES = frozenset(("code", "comment", "string", "docstring"))
_REASONS = frozenset(("typed_over", "escape", "replaced", "cursor_moved"))
_KINDS = {
    pb.FeedbackEvent.SHOWN: "shown",
    pb.FeedbackEvent.ACCEPTED: "accepted",
    pb.FeedbackEvent.PARTLY_ACCEPTED: "partly_accepted",
    pb.FeedbackEvent.DISMISSED: "dismissed",
    pb.FeedbackEvent.KEPT: "kept",
}


class _Recent:
    """The last so many keys."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, key: str) -> None:
        self._keys[key] = None
        if len(self._keys) > self._most:
            self._keys.popitem(last=False)


class Feedback:
    """Takes events, from the event loop only."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._made = _Recent(MOST_COMPLETIONS)
        self._counted = _Recent(MOST_EVENTS)

    def made(self, completion_id: str) -> None:
        """A completion goes out; events may come for it."""
        self._made.add(completion_id)

    def take(self, event: pb.FeedbackEvent, summary: pb.FeedbackSummary) -> None:
        """Count ``event``, in the metrics and in ``summary``: once, and if its completion is known.

        Raises:
            InvalidField: a field has a value that it cannot have.
        """
        _check(event)
        if event.completion_id not in self._made:
            summary.unknown += 1
            self._metrics.feedback_unknown.inc()
            return
        if event.event_id in self._counted:
            return
        self._counted.add(event.event_id)
        summary.recorded += 1
        self._metrics.feedback.labels(
            _KINDS[event.kind],
            event.language_id if event.language_id in _LANGUAGES else "other",
            event.scope if event.scope in _SCOPES else "other",
        ).inc()
        match event.kind:
            case pb.FeedbackEvent.SHOWN:
                self._metrics.visible.observe(event.visible_ms / 1e3)
            case pb.FeedbackEvent.DISMISSED:
                reason = event.reason if event.reason in _REASONS else "other"
                self._metrics.dismissed.labels(reason).inc()
            case pb.FeedbackEvent.KEPT:
                self._metrics.kept.labels(str(event.after_seconds)).observe(event.kept_share)


def _check(event: pb.FeedbackEvent) -> None:
    if event.kind not in _KINDS:
        raise InvalidField("kind must be SHOWN, ACCEPTED, PARTLY_ACCEPTED, DISMISSED or KEPT")
    for name in ("completion_id", "event_id"):
        if not 0 < len(getattr(event, name)) <= LONGEST_ID:
            raise InvalidField(f"{name} must have 1 to {LONGEST_ID} characters")
    if event.kind == pb.FeedbackEvent.KEPT:
        if event.after_seconds not in HORIZONS_S:
            raise InvalidField("after_seconds must be 30, 90, 180 or 360")
        if not (math.isfinite(event.kept_share) and 0 <= event.kept_share <= 1):
            raise InvalidField("kept_share must be from 0 to 1")
    if event.visible_ms > MOST_VISIBLE_MS:
        raise InvalidField(f"visible_ms must be at most {MOST_VISIBLE_MS}")
