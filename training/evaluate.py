"""Bits per byte of held-out text, read left to right: the one number that compares runs.

Lives here: the measure. It is independent of the tokenizer, because bits are divided by the
bytes of the text. Each document starts behind an end token, as documents do in training.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from training.corpus.shards import Document
from training.model import IGNORE


class Measurable(Protocol):
    """What of a decoder is used."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Return its parameters, to know the device."""
        ...

    def losses(self, ids_BT: Tensor, targets_BT: Tensor) -> Tensor:
        """Return the nats of each position (B * T,), 0 where ignored."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """Bits and bytes of some text."""

    bits: float
    bytes: int

    @property
    def bits_per_byte(self) -> float:
        """The measure itself; 0 for no text."""
        return self.bits / max(1, self.bytes)


def sample_documents(
    documents: Sequence[Document], total_bytes: int, *, each: int = 6_000
) -> list[Document]:
    """Return beginnings of documents, ``each`` characters at most, the packages in turn."""
    by_package: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        by_package[document.package].append(document)
    rng = random.Random(0)
    for group in by_package.values():
        rng.shuffle(group)
    out: list[Document] = []
    size = 0
    while size < total_bytes and any(by_package.values()):
        for package in sorted(by_package):
            if by_package[package]:
                d = by_package[package].pop()
                out.append(Document(d.package, d.path, d.text[:each]))
                size += len(out[-1].text.encode("utf-8"))
    return out


@torch.no_grad()
def bits_per_byte(
    model: Measurable,
    documents: Iterable[Document],
    encode: Callable[[str], list[int]],
    *,
    end: int,
    window: int,
    batch_tokens: int = 8_192,
    bfloat16: bool = False,
    note: Callable[[int], None] | None = None,
) -> dict[str, Measured]:
    """Return bits and bytes by package; windows of ``window`` tokens do not overlap.

    ``note`` is called with the bytes measured so far.
    """
    device = next(model.parameters()).device
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    pending: list[tuple[str, list[int], list[int]]] = []
    total = 0

    def flush() -> None:
        if not pending:
            return
        length = max(len(ids) for _, ids, _ in pending)
        ids = torch.zeros(len(pending), length, dtype=torch.int64)
        targets = torch.full((len(pending), length), IGNORE, dtype=torch.int64)
        for row, (_, a, b) in enumerate(pending):
            ids[row, : len(a)] = torch.tensor(a)
            targets[row, : len(b)] = torch.tensor(b)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
            losses = model.losses(ids.to(device), targets.to(device))
        by_row = losses.view(len(pending), length).double().sum(1).cpu().tolist()
        for (package, _, _), nats in zip(pending, by_row, strict=True):
            sums[package][0] += nats / math.log(2)
        pending.clear()

    for document in documents:
        ids = [end, *encode(document.text)]
        for start in range(0, len(ids) - 1, window):
            pending.append(
                (
                    document.package,
                    ids[start : start + window][: len(ids) - 1 - start],
                    ids[start + 1 : start + window + 1],
                )
            )
            if len(pending) * window >= batch_tokens:
                flush()
        size = len(document.text.encode("utf-8"))
        sums[document.package][1] += size
        total += size
        if note:
            note(total)
    flush()
    return {name: Measured(bits, int(size)) for name, (bits, size) in sorted(sums.items())}


def overall(measured: dict[str, Measured]) -> Measured:
    """Return all packages as one text."""
    values = measured.values()
    return Measured(sum(m.bits for m in values), sum(m.bytes for m in values))
