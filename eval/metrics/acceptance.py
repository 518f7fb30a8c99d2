"""Acceptance (CAR) and persistence (CPR) of completions, from feedback events.

Events are shaped as the wire contract's ``FeedbackEvent`` and may come twice and in any order:
nothing here depends on it. The unit is the completion, whichever of its candidates was shown.
Needs no package beside Python's own: the report on a user's machine is made with it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

SHOWN_MS = 750
"""Shorter than this, nobody has read it: it does not count as shown (EVALUATION, online measures)."""
KEPT_AFTER = (30, 90, 180, 360)
"""Seconds after which is asked how much of an accepted text is still there."""


class Kind(enum.IntEnum):
    """Of an event; the contract's numbers."""

    UNSPECIFIED = 0
    SHOWN = 1
    ACCEPTED = 2
    PARTLY_ACCEPTED = 3
    DISMISSED = 4
    KEPT = 5


class FeedbackEvent(Protocol):
    """What is read of an event: a message of the contract, or a row of a store."""

    @property
    def completion_id(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> int: ...  # noqa: D102
    @property
    def accepted_bytes(self) -> int: ...  # noqa: D102
    @property
    def after_seconds(self) -> int: ...  # noqa: D102
    @property
    def kept_share(self) -> float: ...  # noqa: D102
    @property
    def event_id(self) -> str: ...  # noqa: D102
    @property
    def visible_ms(self) -> int: ...  # noqa: D102
    @property
    def language_id(self) -> str: ...  # noqa: D102
    @property
    def scope(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A part of a whole, and the completions it is of."""

    part: float
    whole: float
    n: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; ``None`` of nothing."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """What became of completions."""

    acceptance: Share
    """CAR: of those shown, how many were accepted, whole or in part."""
    persistence: dict[int, Share]
    """CPR by seconds: of the accepted bytes whose fate was looked at then, how many were there."""
    accepted_whole: int
    """Of the shown ones, those accepted to their end; the other accepted ones were in part."""
    accepted_unshown: int
    """Accepted though never shown long enough; in neither part nor whole of :attr:`acceptance`,
    but in :attr:`persistence`."""


def rates(events: Iterable[FeedbackEvent]) -> Rates:
    """Return the rates over all completions."""
    return _rates(_completions(events).values())


def rates_by_language(events: Iterable[FeedbackEvent]) -> dict[str, Rates]:
    """Return the rates by LSP language id; unknown: an empty name."""
    return _by(events, lambda completion: completion.languages)


def rates_by_scope(events: Iterable[FeedbackEvent]) -> dict[str, Rates]:
    """Return the rates by the cursor's scope (``code``, ``comment``, …); unknown: an empty name."""
    return _by(events, lambda completion: completion.scopes)


@dataclass(slots=True)
class _Completion:
    """What all events of one completion say together."""

    was_shown: bool = False
    visible_ms: int = 0
    whole: bool = False
    partly: bool = False
    accepted_bytes: int = 0
    kept: dict[int, float] = field(default_factory=dict[int, float])
    languages: set[str] = field(default_factory=set[str])
    scopes: set[str] = field(default_factory=set[str])

    @property
    def shown(self) -> bool:
        return self.was_shown and self.visible_ms >= SHOWN_MS

    @property
    def accepted(self) -> bool:
        return self.whole or self.partly


def _completions(events: Iterable[FeedbackEvent]) -> dict[str, _Completion]:
    """Gather events by completion. An event id counts once; an event without one, each time."""
    found: dict[str, _Completion] = {}
    seen: set[str] = set()
    for event in events:
        if event.event_id and event.event_id in seen:
            continue
        seen.add(event.event_id)
        if event.completion_id and event.kind in _TAKE:
            completion = found.setdefault(event.completion_id, _Completion())
            completion.languages |= {event.language_id} - {""}
            completion.scopes |= {event.scope} - {""}
            _TAKE[Kind(event.kind)](completion, event)
    return found


def _see(completion: _Completion, event: FeedbackEvent) -> None:
    """Take how long it was visible: whichever event knows it, the longest counts."""
    completion.visible_ms = max(completion.visible_ms, event.visible_ms)


def _show(completion: _Completion, event: FeedbackEvent) -> None:
    completion.was_shown = True
    _see(completion, event)


def _accept(completion: _Completion, event: FeedbackEvent) -> None:
    completion.whole = True
    _accept_bytes(completion, event)


def _accept_partly(completion: _Completion, event: FeedbackEvent) -> None:
    completion.partly = True
    _accept_bytes(completion, event)


def _accept_bytes(completion: _Completion, event: FeedbackEvent) -> None:
    # Accepting word by word says each time how far the accepted part reaches.
    completion.accepted_bytes = max(completion.accepted_bytes, event.accepted_bytes)
    _see(completion, event)


def _keep(completion: _Completion, event: FeedbackEvent) -> None:
    """Take what is still there; of contradicting reports the lowest, nonsense not at all."""
    share, seconds = event.kept_share, event.after_seconds
    if seconds in KEPT_AFTER and math.isfinite(share) and 0 <= share <= 1:
        completion.kept[seconds] = min(share, completion.kept.get(seconds, 1.0))


_TAKE: dict[int, Callable[[_Completion, FeedbackEvent], None]] = {
    Kind.SHOWN: _show,
    Kind.ACCEPTED: _accept,
    Kind.PARTLY_ACCEPTED: _accept_partly,
    Kind.DISMISSED: _see,
    Kind.KEPT: _keep,
}


def _by(
    events: Iterable[FeedbackEvent], names: Callable[[_Completion], set[str]]
) -> dict[str, Rates]:
    groups: dict[str, list[_Completion]] = {}
    for completion in _completions(events).values():
        # Events of one completion agree; if they do not, any one choice must be the same always.
        groups.setdefault(min(names(completion), default=""), []).append(completion)
    return {name: _rates(groups[name]) for name in sorted(groups)}


def _rates(completions: Iterable[_Completion]) -> Rates:
    every = list(completions)
    shown = [completion for completion in every if completion.shown]
    accepted = [completion for completion in shown if completion.accepted]
    return Rates(
        acceptance=Share(part=float(len(accepted)), whole=float(len(shown)), n=len(shown)),
        persistence={seconds: _persistence(every, seconds) for seconds in KEPT_AFTER},
        accepted_whole=sum(completion.whole for completion in accepted),
        accepted_unshown=sum(c.accepted and not c.shown for c in every),
    )


def _persistence(completions: list[_Completion], seconds: int) -> Share:
    """Weigh by bytes; a report on a completion that nobody is known to have accepted says nothing."""
    known = [c for c in completions if c.accepted and c.accepted_bytes and seconds in c.kept]
    return Share(
        part=math.fsum(c.kept[seconds] * c.accepted_bytes for c in known),
        whole=float(sum(c.accepted_bytes for c in known)),
        n=len(known),
    )
