"""What a request says of the workspace that is mixed into its law, on its way to the engine core.

Plain records and ids; no tensors, no vLLM, so that the service's side can say it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MIX_KEY = "caret_mix"
"""In a request's ``extra_args``: :meth:`Mixing.words`."""

Span = tuple[int, int]
BARRIER = -1
"""Stands between pieces of a document that do not follow each other: no match crosses it."""


RUN_ON = 4
"""Tokens of the text behind the cursor, said again from its first one, that are no chance any more."""
_FOLLOWED = 64
"""Most tokens of it that are compared."""


class Rest(NamedTuple):
    """What of the document is not in the prompt, as the bytes of arrays of 32-bit ids."""

    before: bytes = b""
    """In front of the prefix."""
    behind: bytes = b""
    """Behind the suffix."""


NOTHING = Rest()


@dataclass(frozen=True, slots=True)
class Mixing:
    """Which workspace is mixed in, as it was when the request came, and where its document stands."""

    workspace: str
    view: str
    """Names the state of the workspace that the request sees, the same in each of its steps."""
    path: str
    """The open document's own: it comes with the request, so the store's copy is left out."""
    prefix: Span
    """Indices in the prompt, half open: the text before the cursor."""
    suffix: Span
    """The text after it; (0, 0): there is none."""
    base: int
    """Where the prompt ends and what was typed or generated begins, which goes on with the prefix."""
    rest: Rest = NOTHING

    @property
    def key(self) -> bytes:
        """A digest: laws behind one prompt are the same where this is."""
        named = repr((self.workspace, self.view, self.path, self.prefix, self.suffix, self.base))
        digest = blake2b(named.encode(), digest_size=16)
        for part in self.rest:
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()

    def words(self) -> list[Any]:
        """Return it as plain values, for a message to another process."""
        return [
            self.workspace, self.view, self.path, *self.prefix, *self.suffix, self.base, *self.rest,
        ]  # fmt: skip

    @classmethod
    def of(cls, params: Any) -> Mixing | None:
        """Return what vLLM's sampling parameters of a request say, ``None`` where nothing is mixed."""
        words = (getattr(params, "extra_args", None) or {}).get(MIX_KEY)
        return None if words is None else cls.from_words(words)

    @classmethod
    def from_words(cls, words: Sequence[Any]) -> Mixing:
        """Return what :meth:`words` wrote."""
        workspace, view, path, first, last, after, end, base, *rest = words
        return cls(workspace, view, path, (first, last), (after, end), base, Rest(*rest))

    def document(self, ids: Sequence[int], end: int) -> NDArray[np.int32]:
        """Return the document's tokens as a request has read them whose first ``end`` tokens are read.

        ``ids`` are at least these: the prompt, then what was generated. What is behind the cursor
        comes first; behind a barrier what is before it, and what is behind :attr:`base`. Shape (n,).
        """
        (first, last), (after, until) = self.prefix, self.suffix
        before, behind = (np.frombuffer(part, np.int32) for part in self.rest)
        suffix = ids[after:until] if until <= end else []
        parts = [
            suffix, behind, [BARRIER], before, [BARRIER],
            ids[first : min(last, end)], ids[self.base : end],
        ]  # fmt: skip
        return np.concatenate([np.asarray(part, np.int32) for part in parts])

    def after(self, ids: Sequence[int]) -> list[int]:
        """Return the first tokens of the text behind the cursor, of the prompt that ``ids`` begins with."""
        start, end = self.suffix
        return list(ids[start : min(end, start + _FOLLOWED)])


def runs_on(said: Sequence[int], after: list[int]) -> bool:
    """Return whether what was ``said`` ends with the beginning of ``after``, :data:`RUN_ON` at least.

    The middle is over then, and what matched in the workspace has run into what stands there already.
    """
    if len(after) < RUN_ON or len(said) < RUN_ON or said[-1] not in after:
        return False
    first = after[0]
    for size in range(RUN_ON, min(len(said), len(after)) + 1):
        if said[-size] == first and list(said[-size:]) == after[:size]:
            return True
    return False
