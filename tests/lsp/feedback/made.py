"""Events as hypothesis makes them, and simple ones for tests to change."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lsp.feedback.events import HORIZONS_S, REASONS, SCOPES, Event, Kind

NOW = 1_800_000_000.0


def event(completion_id: str = "c1", kind: Kind = Kind.SHOWN, **fields: Any) -> Event:
    """An event with what it needs."""
    base: dict[str, Any] = {
        "at": NOW,
        "language": "python",
        "scope": "code",
        "stop_reason": "syntax",
    }
    if kind is Kind.KEPT:
        base["after_s"] = 30
    return Event(completion_id=completion_id, kind=kind, **{**base, **fields})


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Any event there can be; ids collide on purpose."""
    kind = draw(st.sampled_from(Kind))
    return Event(
        event_id=draw(st.sampled_from([f"e{n}" for n in range(12)])),
        completion_id=draw(st.sampled_from(["a", "b", "c", "d"])),
        candidate=draw(st.integers(0, 255)),
        kind=kind,
        at=NOW + draw(st.integers(-200, 5)) * 86_400,
        language=draw(st.sampled_from(["", "python", "c++", "other"])),
        scope=draw(st.sampled_from(["", *SCOPES])),
        stop_reason=draw(st.sampled_from(["", "syntax", "line"])),
        offered_bytes=draw(st.integers(0, 1 << 20)),
        accepted_bytes=draw(st.integers(0, 1 << 20)),
        after_s=draw(st.sampled_from(HORIZONS_S)) if kind is Kind.KEPT else 0,
        kept_share=draw(st.floats(0, 1)),
        visible_ms=draw(st.integers(0, 10_000)),
        reason=draw(st.sampled_from(["", "other", *REASONS])),
    )
