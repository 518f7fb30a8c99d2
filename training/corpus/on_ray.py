"""Mapping on the workers of a Ray cluster, by Ray Data; started for the run or joined.

Items are taken in windows, each one Ray Data pipeline of one block an item, whose order is kept. A
window bounds what is in the object store, and what comes behind it may depend on its results. Lives
here: all that knows of Ray, which is an extra (``scale``) and imported only when it is asked for.
"""

from __future__ import annotations

import importlib
import logging
import os
import pickle
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from completion.errors import CaretError, UsageError

WINDOW = 32
"""Items of one pipeline for each worker: enough that its start, a second or more, is little of it."""
RETRIES = 2
"""Times that an item is given to another worker when one died; Ray Data itself never gives up."""
STORE_BYTES = 256 * 2**20
"""Of shared memory that a cluster started for the run may use; what does not fit goes to disk."""
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DATA_DISABLE_PROGRESS_BARS": "1"}
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""On any system: no cluster of several machines, so nothing listens to other ones."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class RayData:
    """Maps on the connected Ray cluster; :func:`ray_workers` connects."""

    ray: Any
    workers: int
    """Items that are worked on at the same time, at most."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` of every item, in order."""
        source = iter(items)
        shared = self.ray.put(pickle.dumps(function))
        task = _Task(shared, shared.hex())
        try:
            while window := list(islice(source, WINDOW * self.workers)):
                rows = [{"item": pickle.dumps(item)} for item in window]
                pipeline = self.ray.data.from_items(rows, override_num_blocks=len(rows))
                done = pipeline.map(
                    task, concurrency=min(self.workers, len(rows)), max_retries=RETRIES
                )
                for row in done.iter_rows():
                    result = pickle.loads(row["result"])
                    if isinstance(result, _Raised):
                        raise result.error
                    yield result
        except self.ray.exceptions.RayError as error:
            why = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise CaretError(
                f"Ray lost a worker or its results ({why}); give the same command again: it goes "
                "on from what is whole"
            ) from error


@dataclass(frozen=True, slots=True)
class _Raised:
    """What the function raised in the place of a result; Ray itself would pass on only its text."""

    error: Exception


@dataclass(frozen=True, slots=True)
class _Task:
    """What a worker does with one row; the function is fetched once and kept."""

    shared: Any
    key: str

    def __call__(self, row: dict[str, Any]) -> dict[str, bytes]:
        function = _functions.get(self.key)
        if function is None:
            _functions.clear()  # of the stage before
            shared = importlib.import_module("ray").get(self.shared)
            function = _functions[self.key] = pickle.loads(shared)
        try:
            result = function(pickle.loads(row["item"]))
        except Exception as error:
            error.add_note(traceback.format_exc())
            result = _Raised(error)
        return {"result": pickle.dumps(result)}


_functions: dict[str, Callable[[Any], Any]] = {}


@contextmanager
def ray_workers(address: str, workers: int) -> Iterator[RayData]:
    """Connect to the cluster at ``address``, or start ``workers`` on this machine if it is empty.

    What is started listens on the loopback interface alone and ends with the run.

    Raises:
        UsageError: Ray is not installed, or the address is none.
        CaretError: there is no cluster.
    """
    if address.startswith("ray://"):
        raise UsageError(
            f"--ray {address}: run the command on a machine of the cluster and give HOST:PORT"
        )
    os.environ.update(
        _QUIET if address else {**_QUIET, **_LOOPBACK}
    )  # read at import, and inherited
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.data")
    except ImportError:
        raise UsageError("--ray needs Ray: pip install 'caret-completion[scale]'") from None
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=STORE_BYTES,
                **quiet,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = address or "on this machine"
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CaretError(f"--ray {where}: no cluster: {why}") from error
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        yield RayData(ray=ray, workers=workers)
    finally:
        ray.shutdown()
