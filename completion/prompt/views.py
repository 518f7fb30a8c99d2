"""What a prompt is made of and what comes out: plain records, no wire types.

The server fills :class:`DocumentView` and :class:`SnippetView` from a request and reads a
:class:`Prompt` back; nothing here knows gRPC or a tokenizer.
"""

from __future__ import annotations

from dataclasses import dataclass

from completion.workspace.request import Mixing


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentView:
    """The file with the cursor in it, as the client sent it."""

    prefix: bytes
    suffix: bytes = b""
    path: str = ""
    """Relative to the workspace root."""
    language_id: str = ""
    """LSP language id."""
    comment: bytes = b"#"
    """What opens a line comment in this language."""
    prefix_truncated: bool = False
    """The document starts before ``prefix`` does."""
    suffix_truncated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SnippetView:
    """A piece of another file."""

    path: str
    text: bytes
    kind: str = ""
    relevance: float = 0.0
    """0 to 1; decides what is dropped, not the order."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the prompt, for ``Explain``."""

    kind: str
    """``special``, ``repository``, ``snippet``, ``header``, ``prefix``, ``suffix`` or ``task``."""
    text: bytes
    """What it spells; the name of a special token."""
    tokens: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """A snippet that is not in the prompt."""

    path: str
    reason: str
    """``budget``, ``duplicate``, ``empty``, or ``format`` (the model knows another layout)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """Token ids ready for an engine, and how they came about."""

    token_ids: list[int]
    pieces: tuple[Piece, ...]
    used: tuple[SnippetView, ...]
    dropped: tuple[Dropped, ...]
    stable_tokens: int
    """Leading tokens that the next typed character leaves unchanged; a lower bound."""
    arm: str
    """How it was laid out and what becomes of :attr:`typed`; :mod:`completion.healing.arms`."""
    typed: bytes = b""
    """The end of the document's prefix, in ``\\n``, that is not in the prompt: what is generated has
    to spell it first."""
    prefix_text: bytes
    """The prefix as encoded: what opens it for other files, then the window, in ``\\n``."""
    prefix_start: int
    """Index in ``token_ids`` of its first token."""
    prefix_tokens: int
    prefix_bytes: int
    """How many bytes at the end of the document's prefix are in the prompt."""
    suffix_text: bytes
    """The suffix as encoded."""
    suffix_start: int
    suffix_tokens: int
    mixing: Mixing | None = None
    """The workspace that is mixed into the law behind it."""
    cache_salt: str = ""
    """Whose prompt it is, to the engine's cache; empty: a server with one user."""
    joined: bool
    """Whether the model was trained with prefix and middle encoded as one string in this arm."""

    def text(self) -> bytes:
        """Return the whole prompt as bytes with special tokens spelled out."""
        return b"".join(piece.text for piece in self.pieces)
