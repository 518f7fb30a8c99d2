"""Next token type: what the next token is, beside which one it is.

PyCoder (arXiv 2211.04673) learns token types and code with shared weights, 0.9 to 0.1; CodeFill
(ICSE 2022) has finer classes of names; CodeT5 (arXiv 2109.00859) tags identifiers, which here is
one head's classes again. All classes are ``completion.syntax.token_types.TYPES``. Types belong to
the document as it was written: they are found once and go with the tokens wherever FIM puts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from completion.syntax.languages import Language
from completion.syntax.token_types import TYPE_IDS, TYPES, token_types
from training.objectives.names import Name

MASKED = -100
"""The label of a token without a type: a sentinel, the end, and other files' text."""
_NONE, _NAME, _EOL = TYPE_IDS["NONE"], TYPE_IDS["NAME"], TYPE_IDS["EOL"]
_MOVES = (TYPE_IDS["INDENT"], TYPE_IDS["DEDENT"])
_BLANKS = b" \t\f"


class DocumentTypes:
    """The type of every byte of one document."""

    def __init__(self, text: str, language: Language | None, names: Iterable[Name] = ()) -> None:
        """Lex ``text``; ``names`` says more exactly what its names are, where it was parsed.

        A line end before deeper or shallower code is INDENT or DEDENT; the blanks that follow it
        are NONE, since they say nothing more.
        """
        source = text.encode("utf-8")
        self._of_byte = np.full(len(source) + 1, _NONE, dtype=np.uint8)
        self._byte_of = _byte_offsets(text, len(source))
        self._paint(token_types(language, source), names)

    def _paint(self, spans: Iterable[tuple[int, int, int]], names: Iterable[Name]) -> None:
        of_byte, byte_of = self._of_byte, self._byte_of
        line_end: tuple[int, int] | None = None
        for start, end, kind in spans:
            if kind in _MOVES:
                if line_end:
                    of_byte[slice(*line_end)] = kind
            else:
                of_byte[start:end] = kind
                if kind == _EOL:
                    line_end = start, end
        for name in names:
            start, end = name.start, name.end
            if byte_of is not None:
                start, end = int(byte_of[start]), int(byte_of[end])
            if of_byte[start] == _NAME:
                of_byte[start:end] = TYPE_IDS[name.kind]

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


def _byte_offsets(text: str, size: int) -> NDArray[np.int64] | None:
    """Return the byte offset of every character and of the end; ``None``: they are the same."""
    if len(text) == size:
        return None
    code = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    widths = 1 + (code >= 0x80).astype(np.int64) + (code >= 0x800) + (code >= 0x10000)
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(widths)))


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
