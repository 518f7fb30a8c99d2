"""What is asked and what came back: the records that suites, engines and results share.

Text is bytes throughout, because a cursor may stand inside a character. :func:`to_text` and
:func:`to_bytes` take it through JSON and back without loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Related:
    """A piece of another file that comes with an item, as the contract's ``Snippet``."""

    path: str
    text: bytes
    kind: str
    """``definition``, ``import``, ``recent_edit``, ``open_file`` or ``sibling_cell``."""
    relevance: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Item:
    """One cursor of a suite and the text that belongs there."""

    id: str
    """Unique in its suite and stable between runs."""
    prefix: bytes
    suffix: bytes
    reference: bytes
    language: str = "python"
    """LSP language id."""
    path: str = ""
    """As the server is told it: relative, with the language's extension."""
    eol: str = "\n"
    related: tuple[Related, ...] = ()
    workspace: str = ""
    """Id of the workspace that the server holds and mixes in; empty: none."""
    kind: str = ""
    """The slice it is reported under: a cut, a class of tokens; empty: none."""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What only its suite's judge needs, plain JSON: tests, an entry point."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """How an item is to be answered."""

    lines: str = "auto"
    """``auto``, ``single`` or ``multi``: what the server's stop rule aims at."""
    max_tokens: int = 128
    candidates: int = 1
    """More than one: :attr:`Answer.ranked` is wanted, best first."""
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    healing: str = "default"
    """``default`` (the server's own), ``exact``, ``one-token`` or ``off``."""
    raw: bool = True
    """Whether the model's own middle is wanted beside the cut one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timings:
    """Of the request an editor would send (the cut one); milliseconds and tokens."""

    queue_ms: float = 0.0
    prompt_ms: float = 0.0
    first_token_ms: float = 0.0
    first_line_ms: float = 0.0
    total_ms: float = 0.0
    """In the server, from the request's arrival."""
    round_trip_ms: float = 0.0
    """At the client, from asking to having."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0

    @property
    def recomputed_tokens(self) -> int:
        """Prompt tokens that the prefix cache did not have."""
        return self.prompt_tokens - self.cached_tokens


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an engine gave for one item; one sample of it where several are drawn."""

    raw: bytes | None = None
    """The middle as the model ended it, or as its token limit did. ``None``: no answer at all,
    which is a failure everywhere, as an empty text is not."""
    cut: bytes | None = None
    """What an editor would insert, behind stop rule and filters. ``None``: nothing is suggested."""
    replace_after: int = 0
    """Bytes of the suffix that ``cut`` takes the place of."""
    raw_end: str = ""
    """Why ``raw`` ended: ``model``, ``length``, …, the contract's stop reasons in small letters."""
    cut_end: str = ""
    declined: str = ""
    """Why there is no ``cut``."""
    ranked: tuple[bytes, ...] = ()
    """Raw texts of all candidates, best first, when several were asked for."""
    log_prob: float | None = None
    timings: Timings = field(default_factory=Timings)
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Plain JSON that only the suite which asked for it understands (keystroke replay)."""


def to_text(text: bytes) -> str:
    """Return ``text`` as JSON holds it; bytes that are no UTF-8 become lone surrogates."""
    return text.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """Undo :func:`to_text`."""
    return text.encode("utf-8", "surrogateescape")
