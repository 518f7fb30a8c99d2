"""Rows of fixed length from examples, and batches of rows: packed whole, resumable, in order.

Lives here: packing and the position in the data. An example is never cut and never spans rows;
what is left of a row is padding without loss. It knows nothing of text or of the model.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from training.data.examples import Example, ExampleMaker
from training.model import IGNORE
from training.objectives.heads import HEADS

OPEN_ROWS = 32
"""Rows of one length that wait for an example that fits."""
ORDERED_ROWS = 4
"""The same where documents come in an order that rows should keep: fewer, with more padding."""
FULL = 24
"""A row with fewer free tokens than this is closed."""
AHEAD = 4
"""Chunks of documents that each process is given in advance."""
CHUNK = 16
"""Documents in one task of a process."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs and targets, both (rows, length) int64; :data:`IGNORE` marks targets without loss."""

    ids: Tensor
    targets: Tensor
    labels: dict[str, Tensor]
    """Of each head, shaped and shifted as the targets are."""


Row = tuple[list[Any], ...]
"""Ids, targets and the labels of each head, all of one length."""


class Packer:
    """Packs examples into rows of ``length`` + 1 tokens, best fit over a few open rows."""

    def __init__(
        self, length: int, pad: int, heads: Sequence[str] = (), most_open: int = OPEN_ROWS
    ) -> None:  # fmt: skip
        """Fill what stays free with the id ``pad``; ``heads`` names the labels that rows have.

        At most ``most_open`` rows wait for what fits.
        """
        self._size, self._most_open = length + 1, most_open
        self._heads = tuple(heads)
        self._fill = (pad, IGNORE, *(HEADS[name].masked for name in self._heads))
        self._open: list[Row] = []
        self.ready: deque[Row] = deque()

    def add(self, example: Example) -> None:
        """Place one example; it must have at most ``length`` tokens."""
        targets = example.ids if example.ends else [*example.ids[:-1], IGNORE]
        if example.trained:
            pairs = zip(targets, example.trained, strict=True)
            targets = [target if trained else IGNORE for target, trained in pairs]
        need = len(example.ids)
        fits = [r for r in self._open if len(r[0]) + need <= self._size]
        if fits:
            row = max(fits, key=lambda r: len(r[0]))
        else:
            if len(self._open) >= self._most_open:
                self._close(max(self._open, key=lambda r: len(r[0])))
            row = tuple([] for _ in self._fill)
            self._open.append(row)
        labels = (example.labels[name] for name in self._heads)
        for track, values in zip(row, (example.ids, targets, *labels), strict=True):
            track.extend(values)
        if self._size - len(row[0]) < FULL:
            self._close(row)

    def _close(self, row: Row) -> None:
        self._open = [r for r in self._open if r is not row]
        free = self._size - len(row[0])
        filled = zip(row, self._fill, strict=True)
        self.ready.append(tuple(track + [fill] * free for track, fill in filled))

    def state(self) -> dict[str, Any]:
        """Return the rows under way."""
        return {key: [_copy(row) for row in rows] for key, rows in self._rows()}

    def _rows(self) -> tuple[tuple[str, Iterable[Row]], ...]:
        return ("open", self._open), ("ready", self.ready)

    def load(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state` returned."""
        self._open = [_copy(row) for row in state["open"]]
        self.ready = deque(_copy(row) for row in state["ready"])


def _copy(row: Row) -> Row:
    return tuple(list(track) for track in row)


class BatchStream:
    """Endless batches of ``tokens`` tokens; its state is all that resuming needs."""

    def __init__(
        self,
        maker: ExampleMaker,
        lengths: tuple[int, ...],
        *,
        pad: int,
        tokens: int,
        workers: int = 0,
        rank: int = 0,
        size: int = 1,
    ) -> None:
        """Read every ``size``-th document from the ``rank``-th on; ``tokens`` is a batch's size."""
        self._maker, self._tokens, self._workers = maker, tokens, workers
        self._rank, self._size = rank, size
        self._heads = maker.heads
        most = ORDERED_ROWS if maker.in_order else OPEN_ROWS
        self._packers = {length: Packer(length, pad, self._heads, most) for length in lengths}
        self._epoch, self._position = 0, 0
        self._visits: Iterator[tuple[int, list[Example]]] | None = None

    @property
    def epoch(self) -> float:
        """Passes over the corpus so far."""
        return self._epoch + self._position / max(1, len(self._order()))

    def state(self) -> dict[str, Any]:
        """Return the position in the data, with the rows under way."""
        packers = {str(length): p.state() for length, p in self._packers.items()}
        return {"epoch": self._epoch, "position": self._position, "packers": packers}

    def load(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state` was taken."""
        self._epoch, self._position = state["epoch"], state["position"]
        for length, packer in self._packers.items():
            packer.load(state["packers"][str(length)])
        self._visits = None

    def next(self) -> Batch:
        """Return the next batch, of whichever length has enough rows first."""
        while True:
            for length, packer in self._packers.items():
                if len(packer.ready) >= self._tokens // length:
                    rows = [packer.ready.popleft() for _ in range(self._tokens // length)]
                    return self._batch(rows)
            length, examples = self._next_visit()
            for example in examples:
                self._packers[length].add(example)

    def _batch(self, rows: list[Row]) -> Batch:
        ids = torch.tensor([r[0][:-1] for r in rows], dtype=torch.int64)
        targets = torch.tensor([r[1][1:] for r in rows], dtype=torch.int64)
        labels = {
            name: torch.tensor([r[track][1:] for r in rows], dtype=HEADS[name].dtype)
            for track, name in enumerate(self._heads, start=2)
        }
        return Batch(ids, targets, labels)

    def _order(self) -> list[int]:
        return self._maker.order(self._epoch)[self._rank :: self._size]

    def _next_visit(self) -> tuple[int, list[Example]]:
        while True:
            if self._visits is None:
                rest = self._order()[self._position :]
                self._visits = visits(self._maker, self._epoch, rest, self._workers)
            visit = next(self._visits, None)
            if visit is not None:
                self._position += 1
                return visit
            self._epoch, self._position, self._visits = self._epoch + 1, 0, None


def visits(
    maker: ExampleMaker, epoch: int, order: list[int], workers: int
) -> Iterator[tuple[int, list[Example]]]:
    """Yield the visits of ``order``, the same with any number of processes."""
    if not workers:
        for index in order:
            yield maker.visit(epoch, index)
        return
    context = multiprocessing.get_context("fork")
    chunks = deque(order[i : i + CHUNK] for i in range(0, len(order), CHUNK))
    with concurrent.futures.ProcessPoolExecutor(
        workers, mp_context=context, initializer=_set_maker, initargs=(maker,)
    ) as pool:
        pending: deque[concurrent.futures.Future[list[tuple[int, list[Example]]]]] = deque()
        while chunks or pending:
            while chunks and len(pending) < AHEAD * workers:
                pending.append(pool.submit(_visit_chunk, epoch, chunks.popleft()))
            yield from pending.popleft().result()


_maker: ExampleMaker | None = None


def _set_maker(maker: ExampleMaker) -> None:
    global _maker
    _maker = maker


def _visit_chunk(epoch: int, indices: list[int]) -> list[tuple[int, list[Example]]]:
    assert _maker is not None
    return [_maker.visit(epoch, index) for index in indices]
