"""What the schedule says is to be done, and what it may make use of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lsp.keystrokes.cache import Suggestion
from lsp.keystrokes.speculate import Thought


class Source(Enum):
    """Where an answer has come from."""

    CACHE = "cache"
    MODEL = "model"
    RECYCLED = "recycled"
    """From a question that was asked for an earlier text, or for another request."""
    NONE = "none"
    """There is none: it was superseded, or the service had none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Answer the request ``ticket``."""

    ticket: int
    suggestion: Suggestion
    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Send ``thought.question`` to the model, and report on it by its number."""

    flight: int
    thought: Thought


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel:
    """Cancel a question that was sent; nothing need be reported of it any more."""

    flight: int


Action = Answer | Start | Cancel


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What is made use of; all of it, unless it is to be measured what that is worth."""

    reuse: bool = True
    """Whether answers are kept, and questions under way serve later requests."""
    speculate: bool = True
