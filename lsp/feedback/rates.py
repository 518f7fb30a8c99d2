"""From events to rates: how many suggestions are accepted, and how much of them stays. Pure.

CAR (completion acceptance rate) = accepted / shown, of completions that were visible for 750 ms or
more; one counts once, whichever of its candidates was shown or taken, whole or in part. What was taken
sooner counts in neither, and is told beside. CPR (completion persistence rate) at 30, 90, 180 and 360 s
= mean share of the accepted text that is still there then (:mod:`lsp.feedback.kept`).

The intervals are Wilson's, of 95 % (Wilson 1927). For CPR, a mean of shares that are not 0 or 1, it is
wider than need be, never narrower. They take completions for independent, which those of one user
and one hour are not quite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from lsp.feedback.events import HORIZONS_S, OTHER, VISIBLE_MS, Event, Kind

_Z = 1.959963984540054
"""The normal distribution's 97.5th percentile."""

GROUPS: Mapping[str, Callable[[Event], str]] = {
    "language": lambda event: event.language or OTHER,
    "scope": lambda event: event.scope or OTHER,
    "stop_reason": lambda event: event.stop_reason or OTHER,
}
"""By what the rates are told apart."""
ALL = "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A share of ``n`` with its 95 % interval; all None where there is nothing to take it of."""

    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """The rates of one group."""

    name: str
    shown: int
    """Completions that were visible for 750 ms or more."""
    accepted: int
    """Of those."""
    accepted_sooner: int
    """Taken before they had been visible for so long, or by an editor that does not say."""
    accepted_bytes: int
    car: Rate
    cpr: Mapping[int, Rate]
    """By seconds after."""


@dataclass(slots=True)
class _Fate:
    """What became of one completion."""

    first: Event
    visible_ms: int = 0
    accepted_bytes: int = -1
    kept: dict[int, float] = field(default_factory=dict)


def rates(events: Iterable[Event]) -> dict[str, list[Row]]:
    """Return the rows of each of :data:`GROUPS`, the most shown first, and of :data:`ALL`."""
    fates = _fates(events)
    found = {ALL: [_row(ALL, fates)]}
    for group, name_of in GROUPS.items():
        by_name: dict[str, list[_Fate]] = {}
        for fate in fates:
            by_name.setdefault(name_of(fate.first), []).append(fate)
        rows = [_row(name, members) for name, members in by_name.items()]
        found[group] = sorted(rows, key=lambda row: (-row.shown, -row.accepted_sooner, row.name))
    return found


def wilson(successes: float, n: int) -> Rate:
    """Return the share of ``successes`` (may be fractional) in ``n`` with Wilson's 95 % interval."""
    if not n:
        return Rate(n=0)
    share = successes / n
    middle = share + _Z**2 / (2 * n)
    reach = _Z * math.sqrt(max(0.0, share * (1 - share)) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    # At 0 and 1 the bound is the share itself; arithmetic misses it by a rounding error.
    low = max(0.0, min(share, (middle - reach) / scale))
    high = min(1.0, max(share, (middle + reach) / scale))
    return Rate(n=n, value=share, low=low, high=high)


def _fates(events: Iterable[Event]) -> list[_Fate]:
    fates: dict[str, _Fate] = {}
    for event in events:
        fate = fates.setdefault(event.completion_id, _Fate(event))
        match event.kind:
            case Kind.SHOWN:
                fate.visible_ms = max(fate.visible_ms, event.visible_ms)
            case Kind.ACCEPTED | Kind.PARTLY_ACCEPTED:
                fate.accepted_bytes = max(fate.accepted_bytes, event.accepted_bytes)
                fate.first = event  # of several candidates the one that was taken counts
            case Kind.KEPT:
                fate.kept[event.after_s] = event.kept_share
            case Kind.DISMISSED:
                pass
    return list(fates.values())


def _row(name: str, fates: Iterable[_Fate]) -> Row:
    fates = list(fates)
    shown = [fate for fate in fates if fate.visible_ms >= VISIBLE_MS]
    taken = [fate for fate in fates if fate.accepted_bytes >= 0]
    accepted = sum(fate.accepted_bytes >= 0 for fate in shown)
    kept = {
        after: [fate.kept[after] for fate in taken if after in fate.kept] for after in HORIZONS_S
    }
    return Row(
        name=name, shown=len(shown), accepted=accepted, accepted_sooner=len(taken) - accepted,
        accepted_bytes=sum(fate.accepted_bytes for fate in taken),
        car=wilson(accepted, len(shown)),
        cpr={after: wilson(math.fsum(shares), len(shares)) for after, shares in kept.items()},
    )  # fmt: skip
