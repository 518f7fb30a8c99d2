"""Rows of the law, kept in the engine-core process until the service takes them.

One place decides the law: the adapters of vLLM's two runners hand every row to :func:`law_of`, and
what is kept is what it gave. A request asks for its next row by a key in ``extra_args``; the
service takes the row by that key through the worker. Rows are probabilities, no text.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor

MOST_BYTES = 256 << 20
"""Rows that nobody took (their client went away) are dropped beyond this, the oldest first."""


def law_of(logits: Tensor) -> Tensor:
    """Return the law behind a position from the model's logits: log-probabilities, float32, (V,)."""
    return torch.log_softmax(logits.float(), dim=-1)


class RowStore:
    """Rows by key; of one key the last one holds, because a partial prefill has none that counts."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._rows: OrderedDict[str, Tensor] = OrderedDict()
        self._most_bytes = most_bytes
        self._bytes = 0

    def put(self, key: str, row: Tensor) -> None:
        """Keep ``row`` under ``key``."""
        self._drop(key)
        self._rows[key] = row
        self._bytes += row.nbytes
        while self._bytes > self._most_bytes and len(self._rows) > 1:
            self._drop(next(iter(self._rows)))

    def take(self, keys: list[str]) -> list[bytes | None]:
        """Return the rows as float32 bytes and forget them; ``None`` for one that is not there."""
        taken: list[bytes | None] = []
        for key in keys:
            row = self._rows.get(key)
            taken.append(None if row is None else row.cpu().numpy().tobytes())
            self._drop(key)
        return taken

    def __len__(self) -> int:
        """Return how many rows wait."""
        return len(self._rows)

    def _drop(self, key: str) -> None:
        row = self._rows.pop(key, None)
        if row is not None:
            self._bytes -= row.nbytes


STORE = RowStore()
"""Of this process."""
