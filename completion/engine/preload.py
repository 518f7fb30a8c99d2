"""Starting vLLM's engine core from a process that has imported vLLM meanwhile.

On a CPU vLLM spawns its engine core, which then imports everything that this process has just
imported: half of the time to SERVING. Here a fork server imports it on the other core at the same
time, and the engine core is forked from there. The fork server is single-threaded and knows no
gRPC, so forking it is safe where forking this process would not be.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import select
import signal
import threading
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

_MODULES = [
    "completion.engine.before_vllm",
    "vllm.v1.engine.core",
    "completion.engine.worker_cpu",
    "vllm.model_executor.models.llama",
]


_holders: set[object] = set()
"""Engines whose cores the fork server started. It is their parent: when it ends, they count as dead."""


def begin() -> None:
    """Start the fork server; call before importing vLLM, with the environment already set."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(_MODULES)
    forkserver.ensure_running()


def hold(engine: object) -> None:
    """Keep the fork server for ``engine``, which runs, until it abandons it."""
    _holders.add(engine)


def abandon(engine: object = None) -> None:
    """End the fork server even while it imports; without this it outlives a failed start by that.

    It stays while an engine of this process holds it, other than ``engine``.
    """
    _holders.discard(engine)
    if _holders:
        return
    server: Any = forkserver._forkserver
    pid = getattr(server, "_forkserver_pid", None)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        server._stop()  # waits for it and forgets it, so that another can be started


def use_for_engine_core() -> None:
    """Let vLLM start its engine core from the fork server, where its code allows it."""
    import vllm.v1.engine.utils as engine_utils

    if hasattr(engine_utils, "get_mp_context"):
        context = _Context()
        engine_utils.get_mp_context = lambda: context  # type: ignore[reportPrivateImportUsage]


class _Process(ForkServerProcess):
    """A process that gets this process's environment as it is when it starts."""

    def start(self) -> None:
        self._kwargs = {  # type: ignore[attr-defined]
            "target": self._target,  # type: ignore[attr-defined]
            "kwargs": self._kwargs,  # type: ignore[attr-defined]
            "environment": dict(os.environ),
            "service": os.getpid(),
        }
        self._target = _run
        super().start()


class _Context(ForkServerContext):
    Process = _Process  # type: ignore[assignment]


def _run(
    target: Callable[..., None], kwargs: dict[str, Any], environment: dict[str, str], service: int
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    threading.Thread(target=_end_with, args=(service,), daemon=True).start()
    gc.freeze()
    gc.enable()
    target(**kwargs)


def _end_with(service: int) -> None:
    """End this process when the service does, even if that was killed: vLLM itself would stay.

    The fork server is the parent, so that it is alive says nothing. A pid file descriptor cannot
    be fooled by a number that is used again.
    """
    descriptor = os.pidfd_open(service)
    select.select([descriptor], [], [])
    os._exit(1)
