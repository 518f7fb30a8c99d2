"""What editors tell of suggestions: one command and three notifications beyond LSP.

A client sends back what it got as the ``arguments`` of an item's ``command``. All that is malformed
is passed over: it is a note, and nobody waits for an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lsp.feedback.events import LONGEST_VISIBLE_MS, is_id

COMMAND = "caret.accepted"
"""``workspace/executeCommand`` with ``[completionId, candidate]``: taken whole."""
SHOWN = "caret/didShowCompletion"
"""``{completionId, candidate, visibleMs}``, when it is visible no more."""
PARTLY_ACCEPTED = "caret/didPartlyAcceptCompletion"
"""``{completionId, candidate, acceptedLength}``: of ``insertText`` from its start, in the units of
the negotiated position encoding."""
DISMISSED = "caret/didDismissCompletion"
"""``{completionId, candidate, reason}``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """Parameters of :data:`SHOWN`."""

    key: tuple[str, int]
    visible_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PartlyAccepted:
    """Parameters of :data:`PARTLY_ACCEPTED`."""

    key: tuple[str, int]
    accepted_length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Dismissed:
    """Parameters of :data:`DISMISSED`."""

    key: tuple[str, int]
    reason: str


def shown(params: Any) -> Shown | None:
    """Read the parameters as pygls gives them; None: they are no such thing."""
    key, visible = _key(params), _number(getattr(params, "visibleMs", None))
    if key is None or visible is None:
        return None
    return Shown(key=key, visible_ms=min(int(visible), LONGEST_VISIBLE_MS))


def partly_accepted(params: Any) -> PartlyAccepted | None:
    """Read the parameters; None: they are no such thing."""
    key, length = _key(params), _number(getattr(params, "acceptedLength", None))
    if key is None or length is None:
        return None
    return PartlyAccepted(key=key, accepted_length=min(int(length), 1 << 31))


def dismissed(params: Any) -> Dismissed | None:
    """Read the parameters; a reason that is not known is another one. None: they are no such thing."""
    key, reason = _key(params), getattr(params, "reason", "")
    if key is None or not isinstance(reason, str):
        return None
    return Dismissed(key=key, reason=reason)


def accepted(arguments: Sequence[Any]) -> tuple[str, int] | None:
    """Read the command's arguments; None: they are no such thing."""
    if len(arguments) != 2:
        return None
    return _checked(*arguments)


def _key(params: Any) -> tuple[str, int] | None:
    return _checked(getattr(params, "completionId", None), getattr(params, "candidate", 0))


def _checked(completion_id: Any, candidate: Any) -> tuple[str, int] | None:
    number = _number(candidate)
    if not is_id(completion_id) or number is None or number != int(number):
        return None
    return completion_id, int(number)


def _number(value: Any) -> float | None:
    """Return a number that is not negative; JavaScript's come with fractions, and its nulls not."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and 0 <= value < 1 << 53 else None
