"""Next token type: what the next token is, beside which one it is.

PyCoder (arXiv 2211.04673) learns token types and code with shared weights, 0.9 to 0.1; CodeFill
(ICSE 2022) has finer classes of names; CodeT5 (arXiv 2109.00859) tags identifiers, which here is
one head's classes again: a token is an identifier where its type is one of :data:`IDENTIFIERS`,
and nothing else has one of these. All classes are ``completion.syntax.token_types.TYPES``. Types belong to
the document as it was written: they are found once and go with the tokens wherever FIM puts them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from completion.syntax.token_types import TYPE_IDS, TYPES
from training.objectives.byte_types import ByteTypes, byte_offsets

MASKED = -100
"""The label of a token without a type: a sentinel, the end, and other files' text."""
_NONE = TYPE_IDS["NONE"]
_BLANKS = b" \t\f"
IDENTIFIERS = frozenset(
    TYPE_IDS[name]
    for name in ("NAME", "VARIABLE", "FUNCTION", "ATTRIBUTE", "MODULE", "CLASS", "PARAMETER")
)
"""The classes that CodeT5's identifier tagging calls 1; all others it calls 0."""


class DocumentTypes:
    """The type of every byte of one document."""

    def __init__(self, text: str, of_byte: ByteTypes) -> None:
        """Take the types of ``text`` as :func:`~training.objectives.byte_types.byte_types` says."""
        # one more than there are bytes: what is asked for at the end has no type
        self._of_byte = np.append(of_byte, np.uint8(_NONE))
        self._byte_of = byte_offsets(text, len(of_byte))

    def byte(self, character: int) -> int:
        """Return the byte offset of a character."""
        return character if self._byte_of is None else int(self._byte_of[character])

    def at(self, offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the types at byte offsets."""
        return self._of_byte[offsets]


class TokenTyper:
    """Types of tokens: each has that of the lexeme under its first byte that is no blank."""

    def __init__(self, token_bytes: Sequence[bytes]) -> None:
        """Take the bytes of every id, none for a sentinel."""
        self._sizes = np.array([len(b) for b in token_bytes], dtype=np.int64)
        blanks = [len(b) - len(b.lstrip(_BLANKS)) for b in token_bytes]
        # A token of blanks alone is typed by its first: nothing, or the string that it is in.
        self._lead = np.array(
            [n if n < len(b) else 0 for n, b in zip(blanks, token_bytes, strict=True)],
            dtype=np.int64,
        )

    def behind(self, document: DocumentTypes, start: int, ids: Sequence[int]) -> list[int]:
        """Return the types of ``ids``, whose text begins at the character ``start``."""
        tokens = np.asarray(ids, dtype=np.int64)
        ends = document.byte(start) + np.cumsum(self._sizes[tokens])
        return self._types(document, tokens, ends)

    def before(self, document: DocumentTypes, end: int, ids: Sequence[int]) -> list[int]:
        """Return the types of ``ids``, whose text ends at the character ``end``."""
        tokens = np.asarray(ids, dtype=np.int64)
        ends = np.cumsum(self._sizes[tokens])
        if len(ends):
            ends += document.byte(end) - ends[-1]
        return self._types(document, tokens, ends)

    def _types(
        self, document: DocumentTypes, tokens: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> list[int]:
        return document.at(ends - self._sizes[tokens] + self._lead[tokens]).tolist()


class TypeHead(nn.Module):
    """A linear layer from the width to one score a type."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(len(TYPES), width))

    def forward(self, hidden_BTD: Tensor) -> Tensor:
        """Return the scores (B, T, K) of the next token's types."""
        return F.linear(hidden_BTD, self.weight)

    def loss(self, hidden_BTD: Tensor, labels_BT: Tensor) -> Tensor:
        """Return the summed cross-entropy in nats over labels other than :data:`MASKED`."""
        scores = self(hidden_BTD).flatten(0, 1).float()
        return F.cross_entropy(scores, labels_BT.flatten(), ignore_index=MASKED, reduction="sum")

    @staticmethod
    def count(labels_BT: Tensor) -> int:
        """Return how many labels carry loss."""
        return int((labels_BT != MASKED).sum())
