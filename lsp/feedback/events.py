"""One thing that happened to a suggestion. Pure; what is not a known word never gets in.

The fields are those of the contract's ``FeedbackEvent``, and what the language server knows besides.
"""

from __future__ import annotations

import math
import re
import uuid
from dataclasses import dataclass, field
from enum import IntEnum

HORIZONS_S = (30, 90, 180, 360)
"""When it is measured how much of an accepted text is still there, in seconds after."""

VISIBLE_MS = 750
"""How long a suggestion must have been visible to count as shown, in milliseconds."""

REASONS = ("typed_over", "escape", "replaced", "cursor_moved")
"""Why a suggestion went away without being accepted."""
SCOPES = ("code", "comment", "string", "docstring")
OTHER = "other"
LONGEST_VISIBLE_MS = 86_400_000

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9+#._-]{0,31}")


class Kind(IntEnum):
    """What happened; numbered as in the contract."""

    SHOWN = 1
    ACCEPTED = 2
    PARTLY_ACCEPTED = 3
    DISMISSED = 4
    KEPT = 5


def new_id() -> str:
    """Return an id that no other event has."""
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event, of one candidate of one completion.

    Raises:
        ValueError: a field has a value that it cannot have; the message names the field alone.
    """

    completion_id: str
    kind: Kind
    at: float
    """Seconds since 1970."""
    event_id: str = field(default_factory=new_id)
    candidate: int = 0
    language: str = ""
    scope: str = ""
    stop_reason: str = ""
    """As in the contract, in lower case: "syntax", "suffix", …"""
    offered_bytes: int = 0
    """Of the whole suggestion, in UTF-8."""
    accepted_bytes: int = 0
    """With ACCEPTED and PARTLY_ACCEPTED: of what was taken of it so far."""
    after_s: int = 0
    """With KEPT: one of :data:`HORIZONS_S`."""
    kept_share: float = 0.0
    """With KEPT: how much of the accepted text is still there, 0 to 1."""
    visible_ms: int = 0
    """With SHOWN."""
    reason: str = ""
    """With DISMISSED: one of :data:`REASONS`, or "other"."""

    def __post_init__(self) -> None:
        """Check every field: what is written down must not be able to hold source text."""
        wrong = [
            name
            for name, holds in (
                ("completion_id", _ID.fullmatch(self.completion_id)),
                ("event_id", _ID.fullmatch(self.event_id)),
                ("at", math.isfinite(self.at)),
                ("candidate", 0 <= self.candidate < 256),
                ("language", not self.language or _LANGUAGE.fullmatch(self.language)),
                ("scope", self.scope in ("", *SCOPES)),
                ("stop_reason", re.fullmatch(r"[a-z_]{0,32}", self.stop_reason)),
                ("offered_bytes", 0 <= self.offered_bytes < 1 << 32),
                ("accepted_bytes", 0 <= self.accepted_bytes < 1 << 32),
                ("after_s", (self.after_s in HORIZONS_S) == (self.kind is Kind.KEPT)),
                ("kept_share", 0 <= self.kept_share <= 1),
                ("visible_ms", 0 <= self.visible_ms <= LONGEST_VISIBLE_MS),
                ("reason", self.reason in ("", OTHER, *REASONS)),
            )
            if not holds
        ]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: no such value")


def language_word(language_id: str) -> str:
    """Return a language id that may be written down; editors may send anything as one."""
    return language_id if _LANGUAGE.fullmatch(language_id) else OTHER if language_id else ""


def is_id(text: object) -> bool:
    """Tell whether ``text`` may stand as the id of a completion."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None
