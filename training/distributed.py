"""Data parallelism over the processes that ``torchrun`` starts, or a group of one.

Lives here: the few collective operations that the loop needs. Every process holds the whole
model (or a slice of it: ``sharding``), reads its own share of the documents and sees the same
sums, so all take the same step.
On a CPU two processes of one thread each beat one of two threads: no barrier in every operation.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from completion.errors import CaretError

T = TypeVar("T")


class Group:
    """``rank`` of ``size`` processes; :meth:`close` ends what the constructor began."""

    def __init__(self, *, rank: int = 0, size: int = 1, sharded: bool = False) -> None:
        self.rank, self.size = rank, size
        self.sharded = sharded and size > 1
        """Each process holds a slice of the model instead of the whole; alone it is the whole."""

    @classmethod
    def from_environment(cls, *, sharded: bool = False) -> Group:
        """Join the group that ``torchrun`` describes in ``RANK`` and ``WORLD_SIZE``."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        return cls(rank=dist.get_rank(), size=dist.get_world_size(), sharded=sharded)

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def sums(self, *values: float) -> list[float]:
        """Return each value summed over all processes, the same everywhere."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(total)
        return total.tolist()

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Sum the gradients over all processes, in one message."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        parts: tuple[Tensor, ...] = flat.split([g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def gather(self, value: Any) -> list[Any]:
        """Return every process's value, by rank, on every process."""
        if self.size == 1:
            return [value]
        out: list[Any] = [None] * self.size
        dist.all_gather_object(out, value)
        return out

    def lead(self, action: Callable[[], T]) -> T:
        """Let the first process act and return its result; what it cannot do fails all alike.

        Raises:
            CaretError: the one that ``action`` ended in.
        """
        done: tuple[T | None, CaretError | None] = (None, None)
        if self.leads:
            try:
                done = (action(), None)
            except CaretError as error:
                if self.size == 1:
                    raise
                done = (None, error)
        result, failure = self.gather(done)[0]
        if failure:
            raise failure
        return result

    def close(self) -> None:
        """Leave the group."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()


def leave(status: int) -> int:
    """Return ``status``; a process that was one of several ends here with it instead.

    Their interpreters do not always come through taking themselves apart: threads that a closed
    group leaves behind aborted one in twenty with all its work done, which ``torchrun`` takes for a
    failure of the run. Call it last, with every file closed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return status
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
