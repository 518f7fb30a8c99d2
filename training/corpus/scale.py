"""Where the stages of a corpus run: a pure function mapped over shards, here or on workers.

A stage is a function of one item, such as which shard of which folder, and its results come back in
the order of the items: what a corpus holds does not depend on where it was made. Items are drawn as
there is room for them, so neither they nor the results are ever all in memory. Lives here: this
process and processes of this machine; :mod:`~training.corpus.on_ray` is the third. Nothing here
knows what is mapped.

Workers read what an item names. On several machines the folders must therefore lie on a file
system that all of them see under the same paths.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, Protocol, TypeVar

from completion.errors import CaretError

AHEAD = 4
"""Items under way for each process: enough that none waits while results are written."""

Start = Literal["fork", "spawn"]
T = TypeVar("T")
R = TypeVar("R")


class Workers(Protocol):
    """Who maps. A function goes to each worker once, with all that a ``partial`` of it holds."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` of every item, in order.

        What is under way when the iterator is closed is given up. An exception of the function is
        raised at its item's turn; a worker that died is a :class:`CaretError`.
        """
        ...


class ThisProcess:
    """Maps in the process that asks, one item at a time."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` of every item, in order."""
        return map(function, items)


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalProcesses:
    """Maps in processes of this machine, which leave with the one that started them."""

    processes: int
    start: Start = "fork"
    """``spawn`` where the process that asks may have threads, or a device."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` of every item, in order."""
        waiting: deque[concurrent.futures.Future[R]] = deque()
        source = iter(items)
        begin = list(islice(source, 2))
        if len(begin) < 2:  # one item needs no other process
            yield from map(function, begin)
            return
        source = chain(begin, source)
        pool = concurrent.futures.ProcessPoolExecutor(
            self.processes,
            mp_context=multiprocessing.get_context(self.start),
            initializer=_prepare,
            initargs=(function,),
        )
        try:
            while True:
                while len(waiting) < AHEAD * self.processes:
                    # One at a time: what comes next may depend on the results so far.
                    for item in source:
                        waiting.append(pool.submit(_call, item))
                        break
                    else:
                        break
                if not waiting:
                    return
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise CaretError(
                "a process was ended from outside (was memory short?); give the same command "
                "again, with fewer processes: it goes on from what is whole"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def local(processes: int, *, start: Start = "fork") -> Workers:
    """Return workers of this machine: this process itself where there is to be one."""
    return LocalProcesses(processes=processes, start=start) if processes > 1 else ThisProcess()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_function: Callable[[Any], Any] | None = None


def _prepare(function: Callable[[Any], Any]) -> None:
    global _function
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _call(item: Any) -> Any:
    assert _function is not None
    return _function(item)
